"""The base of the other rooms: background processes, HTTP servers, SQLite files, shims."""
