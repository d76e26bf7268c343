"""The subcommands of `labs`, one a module.

A subcommand's module has ``EXAMPLES`` (lines for --help, after the module's docstring),
``add_arguments(parser)`` and ``run(arguments) -> int``, which returns the exit code. A module with
``PASSES_ON = True`` finds arguments that the parser does not know in ``arguments.extra``.
``main.COMMANDS`` lists the subcommands.
"""
