"""The instructions that change only the configuration of an image.

Each function changes ``config`` (Docker's Env, Cmd, Labels, ...) and returns the text for
``docker history``, in the words of the classic builder.
Source: https://github.com/moby/moby/blob/v26.1.5/builder/dockerfile/dispatchers.go
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Any

from .dockerfile import Instruction
from .errors import BuildError
from .expansion import check_length
from .gotext import duration, parse_duration, quote_all

Config = dict[str, Any]
Expand = Callable[[str], str]

DEFAULT_SHELL = ("/bin/sh", "-c")
SIGNALS = frozenset(
    {
        *re.findall(
            r"\w+",
            "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV"
            " STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ",
        ),
        *("RTMIN", *(f"RTMIN+{n}" for n in range(1, 16))),
        *("RTMAX", *(f"RTMAX-{n}" for n in range(1, 15))),
    }
)
_PROTOCOLS = ("tcp", "udp", "sctp")
_PORT = re.compile(r"(?:[^/]*:)?(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.I | re.ASCII)


def configure(
    config: Config,
    step: Instruction,
    expand: Expand,
    expand_words: Callable[[str], Sequence[str]],
    command_set: bool,
) -> str:
    """Carry out an instruction that changes only the configuration; return the text for history.

    ``command_set`` says that a CMD stands before an ENTRYPOINT, which then keeps the CMD.

    Raises:
        KeyError: the instruction is of another kind.
        BuildError: dockerd's message.
    """
    match step.name:
        case "CMD":
            return command(config, step)
        case "ENTRYPOINT":
            return entrypoint(config, step, command_set)
        case "EXPOSE":
            return expose(config, step, [word for arg in step.args for word in expand_words(arg)])
        case "SHELL" | "HEALTHCHECK" | "ONBUILD":
            return {"SHELL": shell, "HEALTHCHECK": healthcheck, "ONBUILD": on_build}[step.name](
                config, step
            )
    return {"ENV": env, "LABEL": label, "USER": user, "VOLUME": volume, "STOPSIGNAL": stop_signal}[
        step.name
    ](config, step, expand)


def env(config: Config, step: Instruction, expand: Expand) -> str:
    """ENV name=value ..."""
    pairs = _pairs(step, expand)
    for name, value in pairs:
        variables = list(config.get("Env") or [])
        places = [place for place, pair in enumerate(variables) if pair.partition("=")[0] == name]
        if places:
            variables[places[0]] = f"{name}={value}"
        else:
            variables.append(f"{name}={value}")
        config["Env"] = variables
    return "ENV " + " ".join(f"{name}={value}" for name, value in pairs)


def label(config: Config, step: Instruction, expand: Expand) -> str:
    """LABEL name=value ..."""
    pairs = _pairs(step, expand)
    config["Labels"] = {**(config.get("Labels") or {}), **dict(pairs)}
    return "LABEL " + " ".join(f"{name}={value}" for name, value in pairs)


def _pairs(step: Instruction, expand: Expand) -> list[tuple[str, str]]:
    pairs = [(expand(name), expand(value)) for name, value in step.pairs]
    for name, value in pairs:
        check_length(step.name, name, value, step.line)
    return pairs


def user(config: Config, step: Instruction, expand: Expand) -> str:
    """USER name[:group]"""
    config["User"] = expand(step.args[0])
    return f"USER {config['User']}"


def workdir(config: Config, step: Instruction, expand: Expand) -> str:
    """WORKDIR path; a relative path starts at the current directory"""
    wanted = expand(step.args[0])
    if not wanted:
        raise BuildError("cannot normalize nothing", step.line)
    here = posixpath.join("/", config.get("WorkingDir") or "/", wanted)
    config["WorkingDir"] = "/" + posixpath.normpath(here).lstrip("/")
    return f"WORKDIR {config['WorkingDir']}"


def expose(config: Config, step: Instruction, words: Sequence[str]) -> str:
    """EXPOSE port[-port][/protocol] ..."""
    ports = dict(config.get("ExposedPorts") or {})
    for word in words:
        found = _PORT.fullmatch(word)
        proto = word.rpartition("/")[2] if "/" in word else "tcp"
        if proto.lower() not in _PROTOCOLS:
            raise BuildError(f"invalid proto: {proto}", step.line)
        if not found:
            raise BuildError(f"invalid containerPort: {word}", step.line)
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last <= 65535:
            raise BuildError(f"invalid containerPort: {word}", step.line)
        for port in range(first, last + 1):
            ports[f"{port}/{(found[3] or 'tcp').lower()}"] = {}
    config["ExposedPorts"] = ports
    return f"EXPOSE {' '.join(sorted(words))}"


def volume(config: Config, step: Instruction, expand: Expand) -> str:
    """VOLUME path ..."""
    paths = [expand(arg).strip() for arg in step.args]
    if "" in paths:
        raise BuildError("VOLUME specified can not be an empty string", step.line)
    config["Volumes"] = {**(config.get("Volumes") or {}), **{path: {} for path in paths}}
    return f"VOLUME [{' '.join(paths)}]"


def stop_signal(config: Config, step: Instruction, expand: Expand) -> str:
    """STOPSIGNAL name or number"""
    signal = expand(step.args[0])
    known = signal.upper().removeprefix("SIG") in SIGNALS
    if not known and not (signal.isascii() and signal.isdigit() and 0 < int(signal[:4]) <= 64):
        raise BuildError(f"invalid signal: {signal}", step.line)
    config["StopSignal"] = signal
    return f"STOPSIGNAL {signal}"


def command(config: Config, step: Instruction) -> str:
    """CMD, shell or exec form"""
    config["Cmd"] = _command_line(config, step)
    return f"CMD {quote_all(config['Cmd'])}"


def entrypoint(config: Config, step: Instruction, command_set: bool) -> str:
    """ENTRYPOINT; a CMD from the base image is dropped"""
    config["Entrypoint"] = _command_line(config, step)
    if not command_set:
        config.pop("Cmd", None)
    return f"ENTRYPOINT {quote_all(config['Entrypoint'])}"


def shell(config: Config, step: Instruction) -> str:
    """SHELL ["program", "argument"]"""
    config["Shell"] = list(step.args)
    return f"SHELL [{' '.join(step.args)}]"


def on_build(config: Config, step: Instruction) -> str:
    """ONBUILD instruction; a build FROM this image executes the instruction"""
    config["OnBuild"] = [*(config.get("OnBuild") or []), step.args[0]]
    return f"ONBUILD {step.args[0]}"


def healthcheck(config: Config, step: Instruction) -> str:
    """HEALTHCHECK NONE, or [--interval=...] CMD command"""
    kind = step.args[0].upper()
    names = ("interval", "timeout", "start-period", "start-interval")
    times = {name: parse_duration(step.flags.get(name) or "0") for name in names}
    retries = int(step.flags.get("retries") or 0)
    test = ["NONE"]
    if kind != "NONE":
        test = ["CMD", *step.args[1:]] if step.json else ["CMD-SHELL", step.args[1]]
    fields = {
        "Interval": times["interval"],
        "Timeout": times["timeout"],
        "StartPeriod": times["start-period"],
        "StartInterval": times["start-interval"],
        "Retries": retries,
    }
    config["Healthcheck"] = {"Test": test, **{key: n for key, n in fields.items() if n}}
    durations = " ".join(f'"{duration(value)}"' for value in times.values())
    # Go prints the number of retries as a quoted character
    character = f"\\x{retries:02x}" if retries < 32 else chr(min(retries, 0x10FFFF))
    return f"HEALTHCHECK &{{{quote_all(test)} {durations} '{character}'}}"


def current_shell(config: Config) -> list[str]:
    """The shell for the shell form of a command."""
    return list(config.get("Shell") or DEFAULT_SHELL)


def _command_line(config: Config, step: Instruction) -> list[str]:
    if step.json or not step.args:
        return list(step.args)
    return [*current_shell(config), step.args[0]]
