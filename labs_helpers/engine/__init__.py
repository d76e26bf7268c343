"""The labs engine: Docker's Engine API on a unix socket, without a daemon. See README.md."""
