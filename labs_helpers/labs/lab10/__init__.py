"""Lab 10: Deploy and clean up."""
