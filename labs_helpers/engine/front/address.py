"""The address of a daemon, as in DOCKER_HOST."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class AddressError(ValueError):
    """The labs cannot use this address; the message says what to do instead."""


@dataclass(frozen=True)
class Address:
    """A unix socket (``path``) or a TCP port; ``text`` is the address as people write it."""

    text: str
    path: Path | None = None
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return self.text


def unix(path: Path) -> Address:
    """Return the address of a unix socket."""
    return Address(f"unix://{path}", path)


def parse(text: str) -> Address:
    """Parse ``unix:///path`` or ``tcp://host:port``.

    Raises:
        AddressError: the text is neither of the two.
    """
    parts = urlsplit(text)
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return Address(text, Path(parts.path))
    try:
        port = parts.port
    except ValueError as error:
        raise AddressError(f"{text} is not an address: {error}") from error
    if parts.scheme in ("tcp", "http") and parts.hostname and port:
        return Address(text, None, parts.hostname, port)
    if parts.scheme == "ssh":
        raise AddressError(
            f"{text}: the labs reach a daemon through a socket. Forward it, and name the copy:\n"
            f"  ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {parts.netloc} &\n"
            "  export DOCKER_HOST=unix:///tmp/docker.sock"
        )
    raise AddressError(f"{text} is not an address of a daemon: use unix:///path or tcp://host:port")
