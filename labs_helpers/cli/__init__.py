"""The subcommands of `labs`, one a module.

Each has ``EXAMPLES`` (lines for --help, whose text is the module's docstring),
``add_arguments(parser)`` and ``run(arguments) -> int``, the exit code; with ``PASSES_ON = True``
it takes arguments that it does not know, as ``arguments.extra``. `main` lists
them.
"""
