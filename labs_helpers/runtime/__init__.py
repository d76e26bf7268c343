"""What sandbox and engine share: background processes, SQLite files, commands on the labs' PATH."""
