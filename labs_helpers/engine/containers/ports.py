"""The ports that a container publishes, as requested and as found.

Sources: https://docs.docker.com/engine/network/port-publishing/ and
https://github.com/docker/go-connections/blob/v0.5.0/nat/nat.go
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

import psutil

from ..errors import BadRequest, NotSupported

LOOPBACK = "127.0.0.1"
_LARGEST = 65535


def requested(bindings: Any, exposed: Iterable[str], publish_all: bool) -> list[dict[str, Any]]:
    """The ports to publish: ``inside``, ``address``, and ``wanted`` outside; a start chooses one.

    ``wanted`` is [0] for any free port; ``outside`` is 0 until the container runs.

    Args:
        bindings: Docker's PortBindings, ``{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}``.
        exposed: ports that ``publish_all`` publishes, as ``80/tcp``.

    Raises:
        BadRequest: a port is malformed.
        NotSupported: it is not TCP, or not to be published on loopback.
    """
    wanted = dict(bindings or {})
    if publish_all:
        for port in exposed:
            wanted.setdefault(port, [{}])
    found = []
    for key, places in wanted.items():
        inside, protocol = _inside(key)
        for place in places or [{}]:
            if protocol != "tcp":
                raise NotSupported(
                    f"the labs engine refuses to publish {key}: it publishes TCP ports only"
                )
            found.append(
                {
                    "inside": inside,
                    "protocol": protocol,
                    "address": _address(str(place.get("HostIp") or "")),
                    "outside": 0,
                    "wanted": _range(str(place.get("HostPort") or "")),
                }
            )
    return found


def exposed_port(text: str) -> str:
    """A port as Docker writes it, ``80/tcp``. Raises BadRequest."""
    inside, protocol = _inside(text)
    return f"{inside}/{protocol}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= _LARGEST


def _inside(key: str) -> tuple[int, str]:
    number, _, protocol = key.partition("/")
    if not _is_number(number) or not int(number):
        raise BadRequest(f'invalid port specification: "{number}"')
    if protocol not in ("", "tcp", "udp", "sctp"):
        raise BadRequest(f"invalid proto: {protocol}")
    return int(number), protocol or "tcp"


def _address(text: str) -> str:
    if text in ("", "localhost"):
        return LOOPBACK
    try:
        if ipaddress.ip_address(text) in ipaddress.ip_network("127.0.0.0/8"):
            return text
    except ValueError as error:
        raise BadRequest(f"invalid IP address: {text}") from error
    raise NotSupported(
        f"the labs engine refuses to publish on {text}: published ports listen on this machine's"
        f" loopback only ({LOOPBACK}), so that nobody else reaches a container"
    )


def _range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not text:
        return [0]
    numbers = (first, last or first)
    if not all(map(_is_number, numbers)) or int(numbers[0]) > int(numbers[1]):
        raise BadRequest(f'invalid port specification: "{text}"')
    return list(range(int(numbers[0]), int(numbers[1]) + 1))


def holder(port: int) -> str:
    """Which process listens on a port of this machine, in words; "" when that cannot be seen."""
    try:
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr.port == port and found.pid:
                return f"process {found.pid} ({psutil.Process(found.pid).name()})"
    except (psutil.Error, OSError):
        return ""
    return ""


def shown(ports: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, str]]]:
    """Published ports as in ``NetworkSettings.Ports`` of an inspection."""
    found: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        if not port["outside"]:
            continue
        place = {"HostIp": port["address"], "HostPort": str(port["outside"])}
        found.setdefault(f"{port['inside']}/{port['protocol']}", []).append(place)
    return found
