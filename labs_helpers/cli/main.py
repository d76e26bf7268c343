"""The `labs` command: one module of `labs_helpers.cli` for each subcommand."""

from __future__ import annotations

import argparse
import importlib
import keyword
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

OLDEST_PYTHON = (3, 11)
COMMANDS = {
    "lab": "open the workbook in JupyterLab",
    "serve": "become a learner's Jupyter server on a hub",
    "shell": "become a shell in which aws and docker are the labs'",
    "update": "bring your workbook up to date, without opening it",
    "start": "start the sandbox and the engine",
    "stop": "stop the sandbox and the engine",
    "status": "say what runs and what is stored",
    "env": "print shell exports for a terminal",
    "key": "print your access key in the sandbox",
    "configure": "do lab 01's `aws configure` in one command",
    "accounts": "list the sandbox's AWS accounts, add some, restore your own",
    "progress": "show which exercises you have done, and where to go on",
    "check": "look with a lab's checks at what is there now",
    "class": "see how a class is doing, and help it (for instructors)",
    "handout": "write labs for paper, as HTML and PDF",
    "run": "run the notebooks without a browser",
    "build": "run a buildspec as CodeBuild runs it",
    "connect": "let a pipeline see a git folder of yours, as GitHub's repository",
    "gate": "judge an image by what ECR's scan found",
    "sbom": "write an image's bill of materials, and attach it",
    "advisories": "show what the scanner knows, and import more",
    "doctor": "check what the labs need, and say how to fix it",
    "snapshot": "keep all that the sandbox holds under a name, and put it back",
    "clean-up": "list what the labs made in your account, and delete it",
    "reset": "start again with an empty sandbox, and keep a dated snapshot",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit code of the process.

    0: done; 1: not done, and a message on stderr says what to do; 2: wrong arguments;
    130: interrupted.
    """
    if reason := unsupported(sys.version_info[:2], sys.platform):
        print(reason, file=sys.stderr)
        return 1
    # imported late: Windows, refused above, has no fcntl
    from labs_helpers.curriculum import UnknownPart
    from labs_helpers.files import LabsError, SetAside
    from labs_helpers.workspace import Workspace

    parser = build_parser(sys.argv[1:] if argv is None else argv)
    arguments, extra = parser.parse_known_args(argv)
    if extra and not arguments.passes_on:
        parser.error("unrecognized arguments: " + " ".join(extra))
    arguments.extra = extra

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        print(message, file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", SetAside)
        warnings.showwarning = show
        try:
            if os.geteuid() == 0:
                from labs_helpers.cli import owner

                owner.become(Workspace.find().home)
            code = int(arguments.run(arguments))
            sys.stdout.flush()  # here, so that BrokenPipeError is caught below
            return code
        except (LabsError, UnknownPart) as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            return 130
        except BrokenPipeError:
            # the reader ended (`labs status | head`); without this, Python complains at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except Exception as error:  # noqa: BLE001 - every command ends in words
            from labs_helpers.cli import fault

            print(fault.told(error, arguments.named), file=sys.stderr)
            return 1


def unsupported(version: tuple[int, int], platform: str) -> str | None:
    """Why the labs cannot run on this Python and system, or None."""
    if platform == "win32":
        return (
            "The labs run on Linux and macOS. On Windows, open a WSL 2 terminal (wsl --install) "
            "and run the same commands there."
        )
    if version < OLDEST_PYTHON:
        have, need = (".".join(map(str, found)) for found in (version, OLDEST_PYTHON))
        return (
            f"The labs need Python {need} or newer; this is Python {have} ({sys.executable}).\n"
            "Install a newer one, and run: make lab PYTHON=/path/to/python3.x"
        )
    return None


def build_parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command line. Imports only the subcommand that ``argv`` names."""
    parser = argparse.ArgumentParser(
        prog="labs",
        description="The workbook on AWS CLI, IAM and Amazon ECR, and its sandbox.",
        epilog="example:\n  labs lab        start what the workbook needs, and open the workbook",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, line in COMMANDS.items():
        if name not in argv:
            subparsers.add_parser(name, help=line)
            continue
        command = importlib.import_module(f"labs_helpers.cli.{_module(name)}")
        subparser = subparsers.add_parser(
            name,
            help=line,
            description=command.__doc__,
            epilog="example:\n" + "\n".join("  " + line for line in command.EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        passes_on = getattr(command, "PASSES_ON", False)
        subparser.set_defaults(run=command.run, named=name, passes_on=passes_on)
    return parser


def _module(name: str) -> str:
    """The module of a subcommand; a word of Python's own gets an underscore at its end."""
    return name.replace("-", "_") + "_" * keyword.iskeyword(name)
