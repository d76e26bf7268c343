"""Lab 04: Create a repository."""
