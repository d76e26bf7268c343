"""Snapshots: all that sandbox and engine hold, kept under a name in `.labs/snapshots/`."""
