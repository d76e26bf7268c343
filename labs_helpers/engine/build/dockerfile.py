"""Reads a Dockerfile into stages of instructions, and checks the form of each.

e2b-dockerfile-utils, a port of BuildKit's parser, reads lines, words, quotes, escapes and heredocs.
The checks and their messages are those of the classic builder.
Source: https://github.com/moby/moby/tree/v20.10.24/vendor/github.com/moby/buildkit/frontend/dockerfile/instructions
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from e2b_dockerfile_utils import (
    DockerfileHeredoc,
    DockerfileInstruction,
    DockerfileSyntaxError,
    chomp_heredoc_content,
    parse_dockerfile_ast,
)

from .errors import DockerfileError, parse_error
from .gotext import parse_duration, quote

_FLAGS = {
    "FROM": {"platform"},
    "COPY": {"from", "chown", "chmod", "link"},
    "ADD": {"chown", "chmod", "link"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
    "RUN": {"mount", "network", "security"},
}
_EXACTLY_ONE = {"WORKDIR", "USER", "STOPSIGNAL", "MAINTAINER"}
_AT_LEAST_ONE = {"ENV", "LABEL", "EXPOSE", "VOLUME", "ARG", "ONBUILD"}
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII)
_STAGES = 1000
_LEAST_INTERVAL = 10**6
"""The least interval of HEALTHCHECK, in nanoseconds."""


@dataclass(frozen=True)
class Instruction:
    """One instruction; ``original`` is its text on one line, ``line`` the line where it starts.

    ``args`` of ENV and LABEL are name, value, separator, name, ...; ``files`` are the heredocs of
    a COPY, ADD or RUN: name -> (content, whether its variables are expanded).
    """

    name: str
    original: str
    args: tuple[str, ...]
    line: int
    flags: Mapping[str, str] = field(default_factory=dict)
    json: bool = False
    files: Mapping[str, tuple[str, bool]] = field(default_factory=dict)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The names and values of ENV and LABEL."""
        return list(zip(self.args[0::3], self.args[1::3], strict=True))


@dataclass(frozen=True)
class Stage:
    """A FROM and its instructions; ``name`` is in lower case, or ""."""

    base: str
    name: str
    platform: str
    start: Instruction
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class Dockerfile:
    """``arguments`` are the ARGs before the first FROM; ``escape`` is the escape character."""

    arguments: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    escape: str

    def until(self, target: str) -> Dockerfile:
        """The Dockerfile up to one stage, by name or number.

        Raises:
            DockerfileError: there is no such stage.
        """
        for place, stage in enumerate(self.stages):
            if target and target.lower() in {stage.name or str(place), str(place)}:
                return Dockerfile(self.arguments, self.stages[: place + 1], self.escape)
        raise DockerfileError(f'target stage "{target}" could not be found')


def read(text: str) -> Dockerfile:
    """Parse and check a Dockerfile.

    Raises:
        DockerfileError: with the line, in dockerd's words.
    """
    instructions, escape = _instructions(text)
    if not instructions:
        raise DockerfileError("failed to parse Dockerfile: file with no instructions")
    starts = [place for place, found in enumerate(instructions) if found.name == "FROM"]
    before = instructions[: starts[0]] if starts else instructions
    if not starts or any(found.name != "ARG" for found in before):
        raise DockerfileError("no build stage in current context")
    if len(starts) > _STAGES:
        raise DockerfileError(f"the Dockerfile has more than {_STAGES} stages")
    ends = [*starts[1:], len(instructions)]
    stages = [
        _stage(instructions[start], instructions[start + 1 : end])
        for start, end in zip(starts, ends, strict=True)
    ]
    return Dockerfile(tuple(before), tuple(stages), escape)


def read_trigger(text: str, escape: str = "\\") -> Instruction:
    """Parse the instruction of an ONBUILD trigger in a base image."""
    head = "# escape=`\n" if escape == "`" else ""
    instructions, _ = _instructions(head + text)
    if len(instructions) != 1:
        raise DockerfileError(f"failed to parse ONBUILD trigger: {text}")
    return instructions[0]


def _instructions(text: str) -> tuple[list[Instruction], str]:
    try:
        parsed = parse_dockerfile_ast(text)
    except DockerfileSyntaxError as error:
        message = str(error).partition(": ")[2]
        raise parse_error(error.line or 1, _uppercase_unknown(message)) from error
    return [_instruction(found) for found in parsed.instructions], parsed.escape_token


def _uppercase_unknown(message: str) -> str:
    head, separator, word = message.partition("unknown instruction: ")
    return f"{head}{separator}{word.upper()}" if separator else message


def _instruction(found: DockerfileInstruction) -> Instruction:
    name, line, args = found.name, found.start_line, tuple(found.args)
    if name == "ONBUILD":
        # the parser does not split off the trigger
        args = tuple(found.original.split(maxsplit=1)[1:])
    if name in {"COPY", "ADD"} and not found.json:
        # quotes do not group words here
        args = tuple(word for arg in args for word in arg.split())
    flags = _flags(name, found.flags, line)
    _check_count(name, args, line)
    if name in {"ENV", "LABEL"} and "" in args[0::3]:
        raise parse_error(line, f"{name} names can not be blank")
    if name == "ARG" and any(not arg.partition("=")[0] for arg in args):
        raise parse_error(line, "ARG names can not be blank")
    if name == "SHELL" and not (found.json and args):
        raise parse_error(line, "SHELL requires the arguments to be in JSON form")
    if name == "HEALTHCHECK":
        _check_health(args, flags, line)
    if name == "ONBUILD":
        _check_trigger(args[0], line)
    files = {doc.name: _content(doc) for doc in found.heredocs if name in {"COPY", "ADD", "RUN"}}
    return Instruction(name, found.original.strip(), args, line, flags, found.json, files)


def file_name(name: str, line: int) -> str:
    """The name of a heredoc that becomes a file. Raises DockerfileError for a path: no name leads
    out of the folder for these files."""
    if "/" in name or name in ("", ".", ".."):
        raise parse_error(line, f"a heredoc that becomes a file needs a name, not a path: {name!r}")
    return name


def _content(doc: DockerfileHeredoc) -> tuple[str, bool]:
    content = chomp_heredoc_content(doc.content) if doc.chomp else doc.content
    return content, doc.expand


def _flags(name: str, given: Sequence[str], line: int) -> dict[str, str]:
    flags: dict[str, str] = {}
    for flag in given:
        key, equals, value = flag.removeprefix("--").partition("=")
        if key not in _FLAGS.get(name, set()):
            raise parse_error(line, f"unknown flag: {key}")
        if key in flags:
            raise parse_error(line, f"duplicate flag specified: {key}")
        if not equals and key != "link":
            raise parse_error(line, f"missing a value on flag: {key}")
        flags[key] = value
    return flags


def _check_count(name: str, args: Sequence[str], line: int) -> None:
    if name in _EXACTLY_ONE and (len(args) != 1 or not args[0]):
        raise parse_error(line, f"{name} requires exactly one argument")
    if name in _AT_LEAST_ONE and not any(args):
        raise parse_error(line, f"{name} requires at least one argument")
    if name in {"COPY", "ADD"} and len(args) < 2:
        raise parse_error(
            line,
            f"{name} requires at least two arguments, but only one was provided."
            " Destination could not be determined",
        )


def _check_health(args: Sequence[str], flags: Mapping[str, str], line: int) -> None:
    if not args:
        raise parse_error(line, "HEALTHCHECK requires at least one argument")
    kind = args[0].upper()
    if kind == "NONE" and len([arg for arg in args[1:] if arg]):
        raise parse_error(line, "HEALTHCHECK NONE takes no arguments")
    if kind == "CMD" and not any(args[1:]):
        raise parse_error(line, "Missing command after HEALTHCHECK CMD")
    if kind not in {"CMD", "NONE"}:
        raise parse_error(line, f'Unknown type "{kind}" in HEALTHCHECK (try CMD)')
    for name, value in flags.items():
        if name == "retries":
            if not re.fullmatch(r"[-+]?[0-9]+", value):
                reason = f"strconv.ParseInt: parsing {quote(value)}: invalid syntax"
                raise parse_error(line, reason)
            if int(value) < 0:
                raise parse_error(line, f"--retries cannot be negative ({int(value)})")
            continue
        try:
            length = parse_duration(value)
        except ValueError as error:
            raise parse_error(line, str(error)) from error
        if length != 0 and length < _LEAST_INTERVAL:
            raise parse_error(line, f'Interval "{name}" cannot be less than 1ms')


def _check_trigger(trigger: str, line: int) -> None:
    word = trigger.split(maxsplit=1)[0].upper()
    if word == "ONBUILD":
        raise parse_error(line, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if word in {"MAINTAINER", "FROM"}:
        raise parse_error(line, f"{word} isn't allowed as an ONBUILD trigger")


def _stage(start: Instruction, instructions: Sequence[Instruction]) -> Stage:
    args = start.args
    named = len(args) == 3 and args[1].upper() == "AS"
    if not named and len(args) != 1:
        raise parse_error(start.line, "FROM requires either one or three arguments")
    name = args[2].lower() if named else ""
    if named and not _STAGE_NAME.fullmatch(name):
        raise parse_error(
            start.line,
            f'invalid name for build stage: "{args[2]}",'
            " name can't start with a number or contain symbols",
        )
    return Stage(args[0], name, start.flags.get("platform", ""), start, tuple(instructions))
