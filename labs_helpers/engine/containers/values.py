"""The values that dockerd refuses when a container is made, in its words.

Each was sent to dockerd 20.10 on 2026-11-29; the words are those of 29.7.2 (engine/wording).
Sources: verifyContainerSettings of
https://github.com/moby/moby/blob/v28.2.2/daemon/container.go and
https://github.com/moby/moby/blob/v28.2.2/volume/mounts/linux_parser.go (tmpfs)
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from ..capabilities import NAMES, capability
from ..errors import BadRequest
from .stopping import signal_number

_LEAST = 1_000_000
"""Nanoseconds between two looks at a container's health."""


def check(config: Mapping[str, Any], host: Mapping[str, Any]) -> None:
    """Refuse what no container can have. Raises BadRequest."""
    check_environment(config.get("Env"))
    for name in ("Cmd", "Entrypoint", "WorkingDir", "User", "Hostname", "Volumes"):
        check_no_null(name, config.get(name))
    for name in ("Binds", "Mounts", "Tmpfs", "ExtraHosts"):
        check_no_null(f"HostConfig.{name}", host.get(name))
    folder = config.get("WorkingDir") or "/"
    if not folder.startswith("/"):
        raise BadRequest(
            f"the working directory '{folder}' is invalid, it needs to be an absolute path"
        )
    _check_health(config.get("Healthcheck") or {})
    if config.get("StopSignal"):
        signal_number(config["StopSignal"])
    _check_restart(host)
    for extra in host.get("ExtraHosts") or ():
        _check_extra_host(extra)
    for name in host.get("CapDrop") or ():
        if name.upper() != "ALL" and capability(name) not in NAMES:
            raise BadRequest(f'invalid CapDrop: unknown capability: "CAP_{capability(name)}"')
    if (host.get("ShmSize") or 0) < 0:
        raise BadRequest("SHM size can not be less than 0")
    for target in host.get("Tmpfs") or {}:
        if not target.startswith("/"):
            raise BadRequest(f"invalid mount path: '{target}' mount path must be absolute")
        if posixpath.normpath(target).strip("/") == "":
            raise BadRequest("invalid specification: destination can't be '/'")


def check_environment(pairs: Any) -> None:
    """Refuse variables without a name. Raises BadRequest."""
    for pair in pairs or ():
        if not pair.partition("=")[0]:
            raise BadRequest(f"invalid environment variable: {pair}")
    check_no_null("Env", pairs)


def check_no_null(name: str, value: Any) -> None:
    """Refuse a null byte, which no path or argument can have. Raises BadRequest.

    dockerd passes most of them on, and the kernel answers "invalid argument".
    """
    if isinstance(value, str) and "\0" in value:
        raise BadRequest(f"{name}: invalid argument: {value[:100]!r} has a null byte")
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    for each in inner if isinstance(inner, list) else ():
        check_no_null(name, each)


def _check_restart(host: Mapping[str, Any]) -> None:
    policy = host.get("RestartPolicy") or {}
    name, count = policy.get("Name") or "", policy.get("MaximumRetryCount") or 0
    if name not in ("", "no", "always", "unless-stopped", "on-failure"):
        raise BadRequest(
            f"invalid restart policy: unknown policy '{name}'; use one of 'no', 'always',"
            " 'on-failure', or 'unless-stopped'"
        )
    if name not in ("", "on-failure") and count:
        raise BadRequest(
            "invalid restart policy: maximum retry count can only be used with 'on-failure'"
            + (" and cannot be negative" if count < 0 else "")
        )
    if name == "on-failure" and count < 0:
        raise BadRequest("invalid restart policy: maximum retry count cannot be negative")
    if host.get("AutoRemove") and name not in ("", "no"):
        raise BadRequest("can't create 'AutoRemove' container with restart policy")


def _check_extra_host(text: str) -> None:
    name, separator, address = text.replace("=", ":", 1).partition(":")
    if not name or not separator:
        raise BadRequest(f'bad format for add-host: "{text}"')
    try:
        if address != "host-gateway":
            ip_address(address.strip("[]"))
    except ValueError as error:
        raise BadRequest(f'invalid IP address in add-host: "{address}"') from error


def _check_health(check: Mapping[str, Any]) -> None:
    for name in ("Interval", "Timeout", "StartPeriod", "StartInterval"):
        if check.get(name) and check[name] < _LEAST:
            raise BadRequest(f"{name} in Healthcheck cannot be less than 1ms")
    if (check.get("Retries") or 0) < 0:
        raise BadRequest("Retries in Healthcheck cannot be negative")
