"""Lab 06: Build an image."""
