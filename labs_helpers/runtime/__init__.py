"""What the other rooms stand on: background processes, HTTP over sockets, SQLite files, shims."""
