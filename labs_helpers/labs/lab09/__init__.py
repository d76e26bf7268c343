"""Lab 09: Build and deploy by pipeline."""
