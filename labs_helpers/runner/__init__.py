"""The runner: does the work for which the sandbox's process may start no program."""
