"""The options of docker run and create, and the request that they make.

Source: https://docs.docker.com/reference/cli/docker/container/run/ and
https://github.com/docker/cli/blob/v28.2.2/cli/command/container/opts.go
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .command_line import LIST, SWITCH, VALUE, Arguments, Option
from .usage_errors import Malformed

_ENGINE = (
    *("annotation", "blkio-weight", "blkio-weight-device", "cgroup-parent", "cgroupns"),
    *("cpu-count", "cpu-percent", "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime"),
    *("cpus", "cpuset-cpus", "cpuset-mems", "device", "device-cgroup-rule", "device-read-bps"),
    *("device-read-iops", "device-write-bps", "device-write-iops", "dns", "dns-option"),
    *("dns-search", "domainname", "gpus", "group-add", "io-maxbandwidth", "io-maxiops", "ip"),
    *("ip6", "ipc", "isolation", "kernel-memory", "link", "link-local-ip", "log-driver"),
    *("log-opt", "mac-address", "memory-reservation", "memory-swappiness"),
    *("network-alias", "oom-score-adj", "pid", "runtime", "security-opt", "storage-opt"),
    *("sysctl", "ulimit", "userns", "uts", "volume-driver", "volumes-from"),
)
_NO = "the labs' engine has nothing that could carry it out; Docker has it"

_HEALTH = [
    Option("health-cmd", "", VALUE, "Command to run to check health"),
    Option("health-interval", "", VALUE, "Time between running the check (ms|s|m|h)"),
    Option("health-retries", "", VALUE, "Consecutive failures needed to report unhealthy"),
    Option(
        "health-start-interval",
        "",
        VALUE,
        "Time between running the check during the start period (ms|s|m|h) (default 0s)",
    ),
    Option(
        "health-start-period",
        "",
        VALUE,
        "Start period for the container to initialize before starting health-retries countdown"
        " (ms|s|m|h) (default 0s)",
    ),
    Option("health-timeout", "", VALUE, "Maximum time to allow one check to run (ms|s|m|h)"),
    Option("no-healthcheck", "", SWITCH, "Disable any container-specified HEALTHCHECK"),
]
CREATE_OPTIONS = [
    Option("add-host", "", LIST, "Add a custom host-to-IP mapping (host:ip)"),
    Option("attach", "a", LIST, "Attach to STDIN, STDOUT or STDERR"),
    Option("cap-add", "", LIST, "Add Linux capabilities"),
    Option("cap-drop", "", LIST, "Drop Linux capabilities"),
    Option("cidfile", "", VALUE, "Write the container ID to the file"),
    Option("entrypoint", "", VALUE, "Overwrite the default ENTRYPOINT of the image"),
    Option("env", "e", LIST, "Set environment variables"),
    Option("env-file", "", LIST, "Read in a file of environment variables"),
    Option("expose", "", LIST, "Expose a port or a range of ports"),
    *_HEALTH,
    Option("hostname", "h", VALUE, "Container host name"),
    Option(
        "init",
        "",
        SWITCH,
        "Run an init inside the container that forwards signals and reaps processes",
    ),
    Option("interactive", "i", SWITCH, "Keep STDIN open even if not attached"),
    Option("label", "l", LIST, "Set meta data on a container"),
    Option("memory", "m", VALUE, "Memory limit"),
    Option("memory-swap", "", VALUE, "Memory and swap together; -1: as much swap as there is"),
    Option("mount", "", LIST, "Attach a filesystem mount to the container"),
    Option("name", "", VALUE, "Assign a name to the container"),
    Option("network", "", VALUE, "Connect a container to a network (bridge, host or none)"),
    Option("pids-limit", "", VALUE, "Tune container pids limit (set -1 for unlimited)"),
    Option("platform", "", VALUE, "Set platform if the image has to be pulled"),
    Option("publish", "p", LIST, "Publish a container's port(s) to the host"),
    Option("publish-all", "P", SWITCH, "Publish all exposed ports to random ports"),
    Option("pull", "", VALUE, 'Pull image before running ("always", "missing", "never")'),
    Option("quiet", "q", SWITCH, "Suppress the pull output"),
    Option("read-only", "", SWITCH, "Mount the container's root filesystem as read only"),
    Option("restart", "", VALUE, "Restart policy to apply when a container exits"),
    Option(
        "rm",
        "",
        SWITCH,
        "Automatically remove the container and its associated anonymous volumes when it exits",
    ),
    Option("shm-size", "", VALUE, "Size of /dev/shm"),
    Option("stop-signal", "", VALUE, "Signal to stop the container"),
    Option("stop-timeout", "", VALUE, "Timeout (in seconds) to stop a container"),
    Option("tmpfs", "", LIST, "Mount a tmpfs directory"),
    Option("tty", "t", SWITCH, "Allocate a pseudo-TTY"),
    Option("user", "u", VALUE, "Username or UID (format: <name|uid>[:<group|gid>])"),
    Option("volume", "v", LIST, "Bind mount a volume"),
    Option("workdir", "w", VALUE, "Working directory inside the container"),
    *(Option(name, "", LIST, refused=_NO) for name in _ENGINE),
    Option("cpu-shares", "c", VALUE, refused=_NO),
    Option("label-file", "", LIST, refused="give each label with --label"),
    *(Option(name, refused=_NO) for name in ("oom-kill-disable", "privileged", "use-api-socket")),
    Option(
        "disable-content-trust",
        refused="nothing here is signed with Docker Content Trust",
        harmless=frozenset({"true", "1", "t"}),
    ),
]
"""The options that run and create share."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)")
_UNITS = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
_SIZE = re.compile(r"(\d+)([bkmg]?)b?", re.IGNORECASE)


def body(args: Arguments, image: str, words: Sequence[str]) -> dict[str, Any]:
    """The body of ``POST /containers/create``. Raises Malformed."""
    attach = {value.lower() for value in args.all("attach")}
    plain = not args.on("detach") and not attach
    interactive = args.on("interactive")
    published = [_published(text) for text in args.all("publish")]
    bindings: dict[str, list[dict[str, str]]] = {}
    for port, place in (each for ports in published for each in ports):
        bindings.setdefault(port, []).append(place)
    exposed: dict[str, Any] = {f"{p}/tcp" if "/" not in p else p: {} for p in args.all("expose")}
    entrypoint = args.values.get("entrypoint")
    host = {
        "Binds": [_absolute(text) for text in args.all("volume")] or None,
        "NetworkMode": args.text("network") or "default",
        "PortBindings": bindings,
        "RestartPolicy": _restart(args.text("restart")),
        "AutoRemove": args.on("rm"),
        "CapAdd": args.all("cap-add") or None,
        "CapDrop": args.all("cap-drop") or None,
        "ExtraHosts": args.all("add-host") or None,
        "PublishAllPorts": args.on("publish-all"),
        "ReadonlyRootfs": args.on("read-only"),
        "ShmSize": _size(args, "shm-size"),
        "Mounts": [_mount(text) for text in args.all("mount")] or None,
        "Init": args.on("init") or None,
        "Tmpfs": dict(text.partition(":")[::2] for text in args.all("tmpfs")) or None,
        "PidsLimit": _number(args, "pids-limit"),
        "Memory": _size(args, "memory"),
        "MemorySwap": -1 if args.text("memory-swap") == "-1" else _size(args, "memory-swap"),
    }
    timeout = _number(args, "stop-timeout") if args.text("stop-timeout") else None
    return {
        "Hostname": args.text("hostname"),
        "User": args.text("user"),
        "AttachStdin": (interactive and plain) or "stdin" in attach,
        "AttachStdout": plain or "stdout" in attach,
        "AttachStderr": plain or "stderr" in attach,
        "Tty": args.on("tty"),
        "OpenStdin": interactive,
        "StdinOnce": interactive and not args.on("detach"),
        "Env": environment(args),
        "Cmd": list(words) or None,
        "Image": image,
        "Volumes": {},
        "WorkingDir": args.text("workdir"),
        "Entrypoint": None if entrypoint is None else [entrypoint[-1]],
        "Labels": dict(text.partition("=")[::2] for text in args.all("label")),
        "ExposedPorts": {**exposed, **{port: {} for port in bindings}},
        "Healthcheck": _health(args),
        "StopSignal": args.text("stop-signal"),
        "StopTimeout": timeout,
        "HostConfig": host,
    }


def environment(args: Arguments) -> list[str]:
    """The variables of --env-file and --env; one without a value has this process's."""
    found = []
    for name in args.all("env-file"):
        try:
            lines = Path(name).read_text().splitlines()
        except OSError as error:
            raise Malformed(f"open {name}: {str(error.strerror).lower()}") from error
        found += [line.lstrip() for line in lines if line.strip() and not line.startswith("#")]
    found += args.all("env")
    return [
        text if "=" in text else f"{text}={os.environ[text]}"
        for text in found
        if "=" in text or text in os.environ
    ]


def _published(text: str) -> list[tuple[str, dict[str, str]]]:
    """The ports of ``[[address:]outside:]inside[/protocol]``; each part may be a range."""
    place, _, protocol = text.partition("/")
    *front, inside = place.rsplit(":", 2) if place.count(":") > 1 else place.split(":")
    outside = front.pop() if front else ""
    address = front.pop().strip("[]") if front else ""
    insides, outsides = _range(inside, "container"), _range(outside, "host") if outside else []
    if outsides and len(insides) not in (1, len(outsides)):
        raise Malformed(
            f"invalid ranges specified for container and host Ports: {inside} and {outside}"
        )
    found = []
    for number, port in enumerate(insides):
        host = outside if len(insides) == 1 else str(outsides[number]) if outsides else ""
        found.append((f"{port}/{protocol or 'tcp'}", {"HostIp": address, "HostPort": host}))
    return found


def _range(text: str, side: str) -> list[int]:
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal() or int(last or first) < int(first):
        raise Malformed(f"invalid {side}Port: {text}")
    return list(range(int(first), int(last or first) + 1))


def _absolute(text: str) -> str:
    """A bind mount whose source is relative (``./data:/data``), with the whole path."""
    source, colon, rest = text.partition(":")
    if colon and source.startswith((".", "~")):
        source = str(Path(source).expanduser().resolve())
    return f"{source}{colon}{rest}"


def _restart(text: str) -> dict[str, Any]:
    name, colon, count = text.partition(":")
    if colon and not name:
        raise Malformed("invalid restart policy format: no policy provided before colon")
    if count and not count.removeprefix("-").isdecimal():
        raise Malformed("invalid restart policy format: maximum retry count must be an integer")
    return {"Name": name or "no", "MaximumRetryCount": int(count or 0)}


def _mount(text: str) -> dict[str, Any]:
    names = {"type": "Type", "source": "Source", "src": "Source", "target": "Target"}
    names |= {"dst": "Target", "destination": "Target"}
    found: dict[str, Any] = {"Type": "volume"}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if key in ("readonly", "ro"):
            found["ReadOnly"] = not equals or value.lower() in ("1", "true")
        elif key in names and equals:
            found[names[key]] = value
        else:
            why = (
                f"unknown option '{key}' in '{part}'"
                if equals
                else f"invalid field '{part}' must be a key=value pair"
            )
            raise Malformed(why, "mount", text)
    return found


def _health(args: Arguments) -> dict[str, Any] | None:
    if args.on("no-healthcheck"):
        return {"Test": ["NONE"]}
    found: dict[str, Any] = {}
    if args.text("health-cmd"):
        found["Test"] = ["CMD-SHELL", args.text("health-cmd")]
    for name, key in (
        *(("interval", "Interval"), ("timeout", "Timeout"), ("start-period", "StartPeriod")),
        ("start-interval", "StartInterval"),
    ):
        if text := args.text(f"health-{name}"):
            found[key] = _nanoseconds(f"health-{name}", text)
    if args.text("health-retries"):
        found["Retries"] = _number(args, "health-retries")
    return found or None


def _nanoseconds(option: str, text: str) -> int:
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Malformed(f'time: invalid duration "{text}"', option, text)
    return int(sum(float(number) * _UNITS[unit] for number, unit in parts))


def _size(args: Arguments, option: str) -> int:
    text = args.text(option)
    if not text:
        return 0
    found = _SIZE.fullmatch(text)
    if found is None:
        raise Malformed(f"invalid size: '{text}'", option, text)
    return int(found[1]) << {"": 0, "b": 0, "k": 10, "m": 20, "g": 30}[found[2].lower()]


def _number(args: Arguments, name: str) -> int:
    text = args.text(name) or "0"
    try:
        return int(text)
    except ValueError as error:
        why = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise Malformed(why, name, text) from error
