"""Commands: their options, the parsing of their arguments as in Docker, and their failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from .client import EngineClient, Failure
from .usage_errors import Malformed, usage_error, wrong_count

SWITCH, VALUE, LIST = "switch", "value", "list"
"""Kinds of options: without a value, with one value, with several values."""

_TRUE, _FALSE = {"1", "t", "true"}, {"0", "f", "false"}


@dataclass(frozen=True)
class Option:
    """An option ``--name``, and ``-short`` if any; ``kind`` is SWITCH, VALUE or LIST.

    A command carries out an option that has a ``text``, the line in --help. The stand-in refuses an
    option that has a reason in ``refused``, unless its value is in ``harmless``: such a value asks
    for what the stand-in does anyway. ``moot`` says why an option changes nothing here, whatever
    its value. No option is taken and ignored: tests/engine/cli/test_options.py goes over all.
    """

    name: str
    short: str = ""
    kind: str = SWITCH
    text: str = ""
    refused: str = ""
    harmless: frozenset[str] = frozenset()
    moot: str = ""


@dataclass(frozen=True)
class Usage:
    """The usage of a command: ``arguments`` in the usage line, their least and most number."""

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
        """The text of --help."""
        listed = [option for option in self.options if option.text]
        lines = [self.line, "", self.text, ""]
        if listed:
            heads = [_head(option) for option in listed]
            width = max(len(head) for head in heads) + 3
            lines.append("Options:")
            lines += [f"{head:{width}}{o.text}" for head, o in zip(heads, listed, strict=True)]
        return "\n".join(lines).rstrip() + "\n"


def _head(option: Option) -> str:
    short = f"-{option.short}, " if option.short else "    "
    kind = {SWITCH: "", VALUE: " string", LIST: " list"}[option.kind]
    return f"  {short}--{option.name}{kind}"


@dataclass
class Arguments:
    """The parsed arguments of a command: positional words, and values of options."""

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


def refuse(usage: Usage, args: Arguments) -> None:
    """Raise Failure, with the option's name and the reason, for an option that is refused."""
    for option in usage.options:
        values = args.all(option.name) if option.refused else []
        if any(value.lower() not in option.harmless for value in values):
            command = f"docker {usage.command}".rstrip()
            raise Failure(f"{command} --{option.name}: {option.refused}", 125)


FORMAT = Option("format", "", VALUE, "Format output using a custom template")
SHORT_FORMAT = Option("format", "f", VALUE, "Format output using a custom template")
FILTER = Option("filter", "f", LIST, "Filter output based on conditions provided")
NO_TRUNC = Option("no-trunc", "", SWITCH, "Don't truncate output")
FORCE = Option("force", "f", SWITCH, "Do not prompt for confirmation")
IMAGE_OR_ID = "IMAGE [IMAGE...]"
"""Options and arguments of several commands."""


_OFF = frozenset(_FALSE)
_NO_LOG = "the stand-in writes no log, so there is none to make longer"
_NO_TLS = (
    "the labs' stand-in for docker speaks no TLS: it talks to the engine on this machine. Install"
    " Docker's own command for a daemon elsewhere"
)
NO_TRUST = Option(
    "disable-content-trust",
    refused="nothing here is signed or verified with Docker Content Trust, whose support Docker"
    " has removed; Amazon ECR signs images with AWS Signer",
    harmless=frozenset(_TRUE),
)
"""https://docs.docker.com/engine/deprecated/#docker-content-trust, read 2026-11-28"""

ONE_PLATFORM = (
    "the labs' engine keeps one platform of an image; `docker pull --platform` chooses it. Docker"
    " has this option from API 1.48 on, the engine has API 1.47"
)

GLOBAL = Usage(
    "",
    "[OPTIONS] COMMAND",
    "A self-sufficient runtime for containers",
    options=[
        Option("config", "", VALUE, "Location of client config files"),
        Option("context", "c", VALUE, 'Name of the context to use; the only one is "default"'),
        Option("debug", "D", moot=_NO_LOG),
        Option("host", "H", LIST, "Daemon socket to connect to"),
        Option("log-level", "l", VALUE, moot=_NO_LOG),
        *(Option(name, "", VALUE, refused=_NO_TLS) for name in ("tlscacert", "tlscert", "tlskey")),
        *(Option(name, refused=_NO_TLS, harmless=_OFF) for name in ("tls", "tlsverify")),
        Option("version", "v", SWITCH, "Print version information and quit"),
    ],
)
"""The options of ``docker`` itself, before the name of the command."""


def option_words(usage: Usage) -> list[str]:
    """The words of all options with a value in a separate word: ``--config``, ``-c``, ...

    Switches with one letter may stand together, and an option with a value may end the group.
    """
    options = [option for option in usage.options if option.kind != SWITCH]
    switches = [option.short for option in usage.options if option.kind == SWITCH and option.short]
    shorts = [option.short for option in options if option.short]
    return [
        *(f"--{option.name}" for option in options),
        *(f"-{short}" for short in shorts),
        *(f"-{switch}{short}" for switch in switches for short in shorts),
    ]


Action = Callable[[Arguments, "EngineClient"], int]
"""Carries out a command and returns its exit status."""


@dataclass(frozen=True)
class Command:
    """A command of the stand-in: what it accepts, and the function that carries it out."""

    usage: Usage
    action: Action

    def __call__(self, args: Arguments, engine: EngineClient) -> int:
        """Carry out the command; return its exit status. Raises Failure."""
        try:
            return self.action(args, engine)
        except Malformed as error:
            raise _malformed(self.usage, error) from error


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
    """The arguments contain --help."""


def parse(usage: Usage, words: Sequence[str], interspersed: bool = True) -> Arguments:
    """Parse the words after a command's name.

    Raises:
        Failure: in Docker's words; status 125 for a bad option, 1 for the number of arguments.
        Help: the words contain --help.
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
    count, most = len(args.positional), usage.most
    if count < usage.least or (most is not None and count > most):
        raise wrong_count(usage.command, usage.line, usage.least, most)
    return args


def _malformed(usage: Usage, error: Malformed) -> Failure:
    letters = {option.name: option.short for option in usage.options}
    return error.of(usage.command, usage.line, letters.get(error.option, ""))


def _long(
    usage: Usage, options: Mapping[str, Option], word: str, rest: list[str], args: Arguments
) -> None:
    name, equals, value = word[2:].partition("=")
    if name == "help":
        raise Help
    option = options.get(name)
    if option is None:
        raise usage_error(usage.command, usage.line, f"unknown flag: --{name}")
    if option.kind == SWITCH:
        value = value.lower() if equals else "true"
        if value not in _TRUE | _FALSE:
            why = f'strconv.ParseBool: parsing "{value}": invalid syntax'
            raise _malformed(usage, Malformed(why, name, value))
    elif not equals:
        if not rest:
            raise usage_error(usage.command, usage.line, f"flag needs an argument: --{name}")
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
            raise usage_error(
                usage.command, usage.line, f"unknown shorthand flag: '{letter}' in {word}"
            )
        if option.kind == SWITCH:
            value = "true"
        elif letters:
            value, letters = letters.removeprefix("="), ""
        elif rest:
            value = rest.pop(0)
        else:
            raise usage_error(
                usage.command, usage.line, f"flag needs an argument: '{letter}' in {word}"
            )
        args.values.setdefault(option.name, []).append(value)
