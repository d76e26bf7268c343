"""What Docker's command says of arguments that it cannot use.

Sources, read 2026-11-29: https://github.com/docker/cli/blob/v29.7.2/cli/required.go, withHelp of
https://github.com/docker/cli/blob/v29.7.2/cli/command/container/run.go, and
https://github.com/spf13/pflag/blob/v1.0.10/errors.go
"""

from __future__ import annotations

from .client import Failure


class Malformed(Failure):
    """The ``value`` of an ``option`` cannot be used; "" where Docker names no option.

    A command that carries out its work raises this error; the command line adds the rest.
    """

    def __init__(self, why: str, option: str = "", value: str = "") -> None:
        super().__init__(why, 125)
        self.option, self.value = option, value

    def of(self, command: str, line: str, short: str) -> Failure:
        """The error in Docker's words; ``short`` is the option's letter, or ""."""
        if self.option:
            flag = f"-{short}, --{self.option}" if short else f"--{self.option}"
            words = f'invalid argument "{self.value}" for "{flag}" flag: {self.message}'
            return usage_error(command, line, words)
        help_ = f"Run 'docker {command} --help' for more information"
        return Failure(f"docker: {self.message}\n\n{help_}", self.code)


def usage_error(command: str, line: str, message: str) -> Failure:
    """The error for an option, and the usage line."""
    return Failure(
        f"{message}\n\n{line}\n\nRun 'docker {command} --help' for more information", 125
    )


def wrong_count(command: str, line: str, least: int, most: int | None) -> Failure:
    """The error for too few or too many arguments; ``most`` is None without a limit."""
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
    return Failure(
        f"docker: 'docker {command}' {wanted}\n\n{line}\n\n"
        f"{advice} 'docker {command} --help' for more information"
    )


def _arguments(number: int) -> str:
    return f"{number} argument{'s' if number != 1 else ''}"
