"""Lab 07: Push and pull."""
