"""What sandbox and engine stand on: background processes, SQLite files, the labs' PATH."""
