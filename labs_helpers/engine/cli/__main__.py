"""``python -m labs_helpers.engine.cli``: the stand-in docker. Python requires this file."""

import sys

from .main import command_of, main


def run(words: list[str]) -> int:
    """Carry out ``docker <words>``; return the exit status."""
    if command_of(words) == "buildx":
        from .buildx import main as buildx  # takes time to import

        return buildx(words)
    return main(words)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
