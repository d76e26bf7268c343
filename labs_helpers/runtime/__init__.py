"""Processes, sockets, SQLite files and shims: what the other rooms stand on."""
