"""Where a registry's host name leads: the map that lets AWS's own names work offline.

``registries.json`` is re-read when it changes:

    {"hosts": [{"pattern": "*.dkr.ecr.*.amazonaws.com", "address": "http://127.0.0.1:4566"}],
     "offline": true}

The engine connects to ``address`` and sends the original name as Host. With ``offline``, a name
that no pattern matches is refused before anything is connected to, loopback addresses excepted.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import EngineError, Forbidden
from .retry import PATIENT, Patience

ECR_HOSTS = ("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn")
HUB_HOSTS = (
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "auth.docker.io",
    "public.ecr.aws",
)
"""Registry host names that the sandbox answers for: the private ones always, the public ones
unless LABS_HUB=online."""

DOCKER_HUB = "docker.io"
DOCKER_HUB_HOST = "registry-1.docker.io"
_HUB_NAMES = {DOCKER_HUB, "index.docker.io", DOCKER_HUB_HOST}


class Offline(Forbidden):
    """The host is none of those the sandbox serves."""

    def __init__(self, host: str) -> None:
        super().__init__(f"the sandbox is offline: registry {host} is not one it serves")


@dataclass(frozen=True)
class Endpoint:
    """How to reach a registry: ``host`` is its own name, the rest where the bytes go."""

    host: str
    address: str
    port: int
    tls: bool
    mapped: bool

    @property
    def url(self) -> str:
        """The registry's URL as messages show it: https unless it is a plain loopback address."""
        return f"{'https' if self.tls or self.mapped else 'http'}://{self.host}"


def api_host(domain: str) -> str:
    """The host that serves the images of a reference's domain."""
    return DOCKER_HUB_HOST if domain in _HUB_NAMES else domain


class HostMap:
    """The patterns of one ``registries.json``; without a file, names mean what DNS says.

    ``patience`` is how registries are asked again, ``tls`` whom they have to prove themselves to
    (None: the system's certificates).
    """

    def __init__(
        self,
        path: Path | None = None,
        patience: Patience = PATIENT,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._path = path
        self.patience, self.tls = patience, tls
        self._lock = threading.Lock()
        self._read_at: tuple[int, int] | None = None
        self._hosts: list[tuple[str, str]] = []
        self._offline = False

    def endpoint(self, host: str) -> Endpoint:
        """Where ``host`` (``name`` or ``name:port``) is reached.

        Raises:
            Offline: the map does not have it and the engine is offline.
            EngineError: the map cannot be read.
        """
        host = host.lower()
        hosts, offline = self._read()
        for pattern, address in hosts:
            if fnmatch.fnmatchcase(host, pattern):
                return _endpoint(host, urlsplit(address), mapped=True)
        loopback = _is_loopback(host)
        if offline and not loopback:
            raise Offline(host)
        # plain HTTP to loopback only, as dockerd does
        return _endpoint(host, urlsplit(f"{'http' if loopback else 'https'}://{host}"))

    def has(self, host: str) -> bool:
        """Whether a pattern of the map has this host. Raises EngineError as ``endpoint`` does."""
        return any(fnmatch.fnmatchcase(host.lower(), pattern) for pattern, _ in self._read()[0])

    def _read(self) -> tuple[list[tuple[str, str]], bool]:
        with self._lock:
            self._refresh()
            return self._hosts, self._offline

    def _refresh(self) -> None:
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            if seen == self._read_at:
                return
            content: dict[str, Any] = json.loads(self._path.read_text())
            hosts = [(str(h["pattern"]).lower(), str(h["address"])) for h in content["hosts"]]
            for _, address in hosts:
                _endpoint("", urlsplit(address))
            self._hosts, self._offline = hosts, bool(content.get("offline", False))
            self._read_at = seen
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(
                f"the engine's list of registries {self._path.name} cannot be read: {error}"
            ) from error


def _endpoint(host: str, address: Any, mapped: bool = False) -> Endpoint:
    tls = address.scheme == "https"
    if not address.hostname:
        raise ValueError(f"no host in the address {address.geturl()!r}")
    return Endpoint(host, address.hostname, address.port or (443 if tls else 80), tls, mapped)


def _is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
