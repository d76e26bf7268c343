"""Options and arguments of a command, read as Docker's command line reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .failure import Failure

SWITCH, VALUE, LIST = "switch", "value", "list"
_TRUE, _FALSE = {"1", "t", "true"}, {"0", "f", "false"}


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
class Given:
    """What was given."""

    arguments: list[str] = field(default_factory=list)
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


class Help(Exception):
    """--help was asked for."""


def read(usage: Usage, words: Sequence[str], interspersed: bool = True) -> Given:
    """Read the words after a command's name.

    Raises:
        Failure: in Docker's words, status 125 for an option, 1 for the number of arguments.
        Help: --help is among them.
    """
    given, rest = Given(), list(words)
    by_name = {option.name: option for option in usage.options}
    by_short = {option.short: option for option in usage.options if option.short}
    while rest:
        word = rest.pop(0)
        if word == "--":
            given.arguments += rest
            break
        if word.startswith("--"):
            _long(usage, by_name, word, rest, given)
        elif word.startswith("-") and word != "-":
            _shorts(usage, by_short, word, rest, given)
        elif interspersed:
            given.arguments.append(word)
        else:
            given.arguments += [word, *rest]
            break
    _count(usage, given.arguments)
    return given


def _long(
    usage: Usage, options: Mapping[str, Option], word: str, rest: list[str], given: Given
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
    given.values.setdefault(name, []).append(value)


def _shorts(
    usage: Usage, options: Mapping[str, Option], word: str, rest: list[str], given: Given
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
        given.values.setdefault(option.name, []).append(value)


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
