"""The entry of the stand-in docker: from words to a command and its exit status."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from . import system
from .client import EngineClient, Failure
from .command_line import GLOBAL, Command, Help, parse, refuse
from .commands import ALIASES, COMMANDS, GROUPS, WORDS_FOLLOW
from .refused import INSTEAD, REFUSED, REFUSED_IN_GROUPS


def main(words: Sequence[str]) -> int:
    """Carry out ``docker <words>``; return the exit status.

    Errors go to stderr as Docker prints them. After a closed pipe or Ctrl-C, nothing is printed.
    """
    try:
        status = _main(words)
        sys.stdout.flush()
    except Failure as failure:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
        if failure.message:
            print(failure.message, file=sys.stderr)
        return failure.code
    except BrokenPipeError:
        # nobody reads any more; Python must not flush stdout at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    return status


def command_of(words: Sequence[str]) -> str:
    """The name of the command in ``docker <words>``; "" when there is none, or an error."""
    try:
        return next(iter(parse(GLOBAL, words, interspersed=False).positional), "")
    except (Failure, Help):
        return ""


def _main(words: Sequence[str]) -> int:
    try:
        args = parse(GLOBAL, words, interspersed=False)
    except Help:
        return _overview()
    refuse(GLOBAL, args)
    if args.on("version"):
        sys.stdout.write(system.short_version())
        return 0
    if args.text("context", "default") != "default":
        raise Failure(f'context "{args.text("context")}": context not found')
    if args.text("config"):
        os.environ["DOCKER_CONFIG"] = args.text("config")
    if not args.positional:
        return _overview()
    name, *rest = args.positional
    host = args.text("host") or None
    if name == "help":
        return _overview() if not rest else _run(_find(rest), ["--help"], host)
    if name in GROUPS:
        if not rest or rest[0].startswith("-"):
            return _group_overview(name)
        return _run(_find([name, rest[0]]), rest[1:], host)
    return _run(_find([name]), rest, host)


def _find(words: Sequence[str]) -> Command:
    if words[0] in GROUPS and len(words) > 1:
        group, commands = words[0], GROUPS[words[0]][1]
        name = ALIASES.get(words[1], words[1])
        if name in commands:
            return commands[name]
        if why := REFUSED_IN_GROUPS.get(f"{group} {name}"):
            raise Failure(f"docker {group} {name}: {why}")
        raise Failure(
            f"docker: unknown command: docker {group} {words[1]}\n\n"
            f"Usage:  docker {group}\n\nRun 'docker {group} --help' for more information"
        )
    if words[0] in COMMANDS:
        return COMMANDS[words[0]]
    if words[0] in REFUSED:
        instead = f". {INSTEAD[words[0]]}" if words[0] in INSTEAD else ""
        raise Failure(f"docker {words[0]}: {REFUSED[words[0]]}{instead}")
    raise Failure(
        f"docker: unknown command: docker {words[0]}\n\nRun 'docker --help' for more information"
    )


def _run(command: Command, words: Sequence[str], host: str | None) -> int:
    try:
        args = parse(command.usage, words, command.usage.command not in WORDS_FOLLOW)
    except Help:
        sys.stdout.write(command.usage.help())
        return 0
    refuse(command.usage, args)
    return command(args, EngineClient(host))


def _summary(name: str, command: Command) -> str:
    return f"  {name:12}{command.usage.text.splitlines()[0]}"


def _overview() -> int:
    lines = [_summary(name, command) for name, command in COMMANDS.items()]
    sys.stdout.write(
        "Usage:  docker [OPTIONS] COMMAND\n\n"
        "A self-sufficient runtime for containers (the labs' stand-in)\n\n"
        "Commands:\n"
        + "\n".join(lines)
        + "\n\nManagement Commands:\n"
        + "\n".join(f"  {name:12}{text}" for name, (text, _) in GROUPS.items())
        + "\n\nRun 'docker COMMAND --help' for more information on a command.\n"
    )
    return 0


def _group_overview(group: str) -> int:
    text, commands = GROUPS[group]
    lines = [_summary(name, command) for name, command in commands.items()]
    sys.stdout.write(
        f"Usage:  docker {group} COMMAND\n\n{text}\n\nCommands:\n"
        + "\n".join(lines)
        + f"\n\nRun 'docker {group} COMMAND --help' for more information on a command.\n"
    )
    return 0
