"""Lab 08: Scan an image."""
