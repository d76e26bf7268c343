"""What the labs make in an account: the list of it, what is there, whose it is, its deletion."""
