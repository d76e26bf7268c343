"""What Docker's command says of arguments that it cannot use.

Sources, read 2026-11-29: https://github.com/docker/cli/blob/v29.7.2/cli/required.go, withHelp of
https://github.com/docker/cli/blob/v29.7.2/cli/command/container/run.go, and
https://github.com/spf13/pflag/blob/v1.0.10/errors.go
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .client import Failure

if TYPE_CHECKING:
    from .command_line import Usage


class Malformed(Failure):
    """The ``value`` of an ``option`` cannot be used; "" where Docker names no option.

    A command that carries out its work raises this error; the command line adds the rest.
    """

    def __init__(self, why: str, option: str = "", value: str = "") -> None:
        super().__init__(why, 125)
        self.option, self.value = option, value

    def of(self, usage: Usage) -> Failure:
        """The error in Docker's words, with the usage of the command."""
        if self.option:
            return bad_value(usage, self.option, self.value, self.message)
        help_ = f"Run 'docker {usage.command} --help' for more information"
        return Failure(f"docker: {self.message}\n\n{help_}", self.code)


def usage_error(usage: Usage, message: str) -> Failure:
    """The error for an option, and the usage line."""
    return Failure(
        f"{message}\n\n{usage.line}\n\nRun 'docker {usage.command} --help' for more information",
        125,
    )


def bad_value(usage: Usage, name: str, value: str, why: str) -> Failure:
    """The error for the value of an option, which is named with its short form."""
    short = next((option.short for option in usage.options if option.name == name), "")
    flag = f"-{short}, --{name}" if short else f"--{name}"
    return usage_error(usage, f'invalid argument "{value}" for "{flag}" flag: {why}')


def check_count(usage: Usage, arguments: Sequence[str]) -> None:
    """Raise Failure for too few or too many arguments."""
    least, most, count = usage.least, usage.most, len(arguments)
    if count >= least and (most is None or count <= most):
        return
    advice = "Run"
    if most == 0:
        wanted = "accepts no arguments"
    elif least == most:
        wanted = f"requires {_arguments(least)}"
    elif most is None:
        wanted, advice = f"requires at least {_arguments(least)}", "See"
    elif least == 0:
        wanted = f"requires at most {_arguments(most)}"
    else:
        wanted = f"requires at least {least} and at most {_arguments(most)}"
    raise Failure(
        f"docker: 'docker {usage.command}' {wanted}\n\n{usage.line}\n\n"
        f"{advice} 'docker {usage.command} --help' for more information"
    )


def _arguments(number: int) -> str:
    return f"{number} argument{'s' if number != 1 else ''}"
