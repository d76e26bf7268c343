"""The map of registry hosts, by which AWS's own names work offline.

``registries.json`` is read again when it changes:

    {"hosts": [{"pattern": "*.dkr.ecr.*.amazonaws.com", "address": "http://127.0.0.1:4566"}],
     "offline": true}

The engine connects to ``address`` and sends the original name as Host. With ``offline``, a name
that matches no pattern is refused without a connection, except for loopback addresses.
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
from .retry import DEFAULT_POLICY, RetryPolicy

ECR_HOSTS = ("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn")
HUB_HOSTS = (
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "auth.docker.io",
    "public.ecr.aws",
)
"""Registry host names that lead to the sandbox; with LABS_HUB=online, only the private ones."""

DOCKER_HUB = "docker.io"
DOCKER_HUB_HOST = "registry-1.docker.io"
_HUB_NAMES = {DOCKER_HUB, "index.docker.io", DOCKER_HUB_HOST}


class Offline(Forbidden):
    """The sandbox does not serve the host, and the engine is offline."""

    def __init__(self, host: str) -> None:
        super().__init__(f"the sandbox is offline: registry {host} is not one it serves")


@dataclass(frozen=True)
class Endpoint:
    """A registry: ``host`` is its name, ``address`` and ``port`` are where to connect."""

    host: str
    address: str
    port: int
    tls: bool
    mapped: bool

    @property
    def url(self) -> str:
        """The registry's URL in messages: https, except for a loopback address without TLS."""
        return f"{'https' if self.tls or self.mapped else 'http'}://{self.host}"


def api_host(domain: str) -> str:
    """The registry host for the domain of a reference."""
    return DOCKER_HUB_HOST if domain in _HUB_NAMES else domain


class HostMap:
    """The patterns in ``registries.json``; without a file, DNS decides.

    ``retry_policy`` applies to requests to the registries. ``tls`` verifies their certificates
    (None: by the system's).
    """

    def __init__(
        self,
        path: Path | None = None,
        retry_policy: RetryPolicy = DEFAULT_POLICY,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._path = path
        self.retry_policy, self.tls = retry_policy, tls
        self._lock = threading.Lock()
        self._read_at: tuple[int, int] | None = None
        self._hosts: list[tuple[str, str]] = []
        self._offline = False

    def endpoint(self, host: str) -> Endpoint:
        """The endpoint for ``host`` (``name`` or ``name:port``).

        Raises:
            Offline: no pattern matches, and the engine is offline.
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
        # plain HTTP for loopback only, as in dockerd
        return _endpoint(host, urlsplit(f"{'http' if loopback else 'https'}://{host}"))

    def has(self, host: str) -> bool:
        """Whether a pattern matches this host. Raises EngineError when the map cannot be read."""
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
