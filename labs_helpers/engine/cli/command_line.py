"""Options and arguments of a command, read as Docker's command line reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import EngineClient

SWITCH, VALUE, LIST = "switch", "value", "list"
"""Kinds of options: without a value, with one value, with several values."""

_TRUE, _FALSE = {"1", "t", "true"}, {"0", "f", "false"}


class Failure(Exception):
    """``message`` goes to stderr (nothing when it is empty), ``code`` is the exit status."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.message, self.code = message, code


@dataclass(frozen=True)
class Option:
    """``--name`` and perhaps ``-short``; ``kind`` is SWITCH, VALUE or LIST (may be repeated).

    ``text`` is its line in --help; an option without one is accepted and not shown.
    """

    name: str
    short: str = ""
    kind: str = SWITCH
    text: str = ""
    default: str = ""


@dataclass(frozen=True)
class Usage:
    """What a command takes: ``arguments`` as its usage line shows them, how many at least, most."""

    command: str
    arguments: str
    text: str
    least: int = 0
    most: int | None = None
    options: Sequence[Option] = ()

    @property
    def line(self) -> str:
        """The usage line."""
        return f"Usage:  docker {self.command} {self.arguments}".rstrip()

    def help(self) -> str:
        """What --help prints."""
        shown = [option for option in self.options if option.text]
        lines = [self.line, "", self.text, ""]
        if shown:
            heads = [_head(option) for option in shown]
            width = max(len(head) for head in heads) + 3
            lines.append("Options:")
            lines += [f"{head:{width}}{o.text}" for head, o in zip(heads, shown, strict=True)]
        return "\n".join(lines).rstrip() + "\n"


def _head(option: Option) -> str:
    short = f"-{option.short}, " if option.short else "    "
    kind = {SWITCH: "", VALUE: " string", LIST: " list"}[option.kind]
    return f"  {short}--{option.name}{kind}"


@dataclass
class Arguments:
    """What was given."""

    positional: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)

    def on(self, name: str) -> bool:
        """Whether a switch is on."""
        return (self.values.get(name) or ["false"])[-1] in _TRUE

    def text(self, name: str, default: str = "") -> str:
        """The last value of an option."""
        return (self.values.get(name) or [default])[-1]

    def all(self, name: str) -> list[str]:
        """Every value of an option, in order."""
        return self.values.get(name, [])


FORMAT = Option("format", "", VALUE, "Format output using a custom template")
SHORT_FORMAT = Option("format", "f", VALUE, "Format output using a custom template")
FILTER = Option("filter", "f", LIST, "Filter output based on conditions provided")
NO_TRUNC = Option("no-trunc", "", SWITCH, "Don't truncate output")
FORCE = Option("force", "f", SWITCH, "Do not prompt for confirmation")
IMAGE_OR_ID = "IMAGE [IMAGE...]"
"""Options and arguments of several commands."""


Action = Callable[[Arguments, "EngineClient"], int]
"""Carries out a command and returns its exit status."""


@dataclass(frozen=True)
class Command:
    """A command of the stand-in: what it accepts, and the function that carries it out."""

    usage: Usage
    action: Action

    def __call__(self, args: Arguments, engine: EngineClient) -> int:
        """Carry out the command; return its exit status. Raises Failure."""
        return self.action(args, engine)


def command(
    name: str,
    arguments: str,
    text: str,
    least: int = 0,
    most: int | None = None,
    options: Sequence[Option] = (),
) -> Callable[[Action], Command]:
    """Make a function the command ``docker <name>``; the parameters are those of Usage."""
    return partial(Command, Usage(name, arguments, text, least, most, options))


class Help(Exception):
    """--help was asked for."""


def read(usage: Usage, words: Sequence[str], interspersed: bool = True) -> Arguments:
    """Read the words after a command's name.

    Raises:
        Failure: in Docker's words, status 125 for an option, 1 for the number of arguments.
        Help: --help is among them.
    """
    args, rest = Arguments(), list(words)
    by_name = {option.name: option for option in usage.options}
    by_short = {option.short: option for option in usage.options if option.short}
    while rest:
        word = rest.pop(0)
        if word == "--":
            args.positional += rest
            break
        if word.startswith("--"):
            _long(usage, by_name, word, rest, args)
        elif word.startswith("-") and word != "-":
            _shorts(usage, by_short, word, rest, args)
        elif interspersed:
            args.positional.append(word)
        else:
            args.positional += [word, *rest]
            break
    _count(usage, args.positional)
    return args


def _long(
    usage: Usage, options: Mapping[str, Option], word: str, rest: list[str], args: Arguments
) -> None:
    name, equals, value = word[2:].partition("=")
    if name == "help":
        raise Help
    option = options.get(name)
    if option is None:
        raise _wrong(usage, f"unknown flag: --{name}")
    if option.kind == SWITCH:
        value = value.lower() if equals else "true"
        if value not in _TRUE | _FALSE:
            raise _wrong(
                usage,
                f'invalid argument "{value}" for "--{name}" flag: strconv.ParseBool: '
                f'parsing "{value}": invalid syntax',
            )
    elif not equals:
        if not rest:
            raise _wrong(usage, f"flag needs an argument: --{name}")
        value = rest.pop(0)
    args.values.setdefault(name, []).append(value)


def _shorts(
    usage: Usage, options: Mapping[str, Option], word: str, rest: list[str], args: Arguments
) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        option = options.get(letter)
        if option is None:
            if letter == "h":
                raise Help
            raise _wrong(usage, f"unknown shorthand flag: '{letter}' in {word}")
        if option.kind == SWITCH:
            value = "true"
        elif letters:
            value, letters = letters.removeprefix("="), ""
        elif rest:
            value = rest.pop(0)
        else:
            raise _wrong(usage, f"flag needs an argument: '{letter}' in {word}")
        args.values.setdefault(option.name, []).append(value)


def _count(usage: Usage, arguments: Sequence[str]) -> None:
    least, most, count = usage.least, usage.most, len(arguments)
    if count >= least and (most is None or count <= most):
        return
    if most == 0:
        wanted = "accepts no arguments"
    elif least == most:
        wanted = f"requires {least} argument{'s' if least != 1 else ''}"
    elif count < least:
        wanted = f"requires at least {least} argument{'s' if least != 1 else ''}"
    else:
        wanted = f"requires at most {most} argument{'s' if most != 1 else ''}"
    raise Failure(
        f"docker: 'docker {usage.command}' {wanted}\n\n{usage.line}\n\n"
        f"Run 'docker {usage.command} --help' for more information"
    )


def _wrong(usage: Usage, message: str) -> Failure:
    return Failure(
        f"{message}\n\n{usage.line}\n\nRun 'docker {usage.command} --help' for more information",
        125,
    )
