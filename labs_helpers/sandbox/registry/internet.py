"""Asks the real upstream registries, for the pull through cache of a sandbox that is online.

The only connections of the sandbox's process that leave the machine begin here, and only if the
learner started the sandbox with LABS_HUB=online (`confinement.outward`). They are HTTPS, verified
with the system's certificates, through the proxy in HTTPS_PROXY unless NO_PROXY lists the host.
"""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Mapping
from typing import cast
from urllib.parse import urljoin, urlsplit

from labs_helpers.sandbox.confinement import outward
from labs_helpers.sandbox.registry.upstream import Answer, Body, UpstreamError

TIMEOUT = 60.0
"""Seconds without a byte after which an upstream counts as out of reach."""

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_LOST = (OSError, http.client.HTTPException)


def ask(host: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
    """The answer of a registry to a GET, after its redirects; raises UpstreamError.

    Another host than the first gets no Authorization: registries redirect to signed addresses of
    their content networks. Nor does its challenge count: it would say where the password goes.
    """
    try:
        return _followed(host, path, query, headers)
    except ValueError as error:  # of an address, a host's name or a token that no client can send
        raise UpstreamError.unusable(f"{host} leads to what is no address: {error}") from error


def _followed(host: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
    url = f"https://{host}{path}{'?' if query else ''}{query}"
    sent = dict(headers)
    for _ in range(_MOST_REDIRECTS + 1):
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise UpstreamError.unusable(f"{host} leads to an address that is no https: {url}")
        if parts.netloc != host:
            sent.pop("Authorization", None)
        response = _get(url, sent)
        location = response.headers.get("Location")
        if response.status not in _REDIRECTS or location is None:
            found = {name.lower(): value for name, value in response.headers.items()}
            if parts.netloc != host:
                found.pop("www-authenticate", None)
            return response.status, found, cast(Body, _Guarded(response, host))
        response.close()
        url = urljoin(url, location)
    raise UpstreamError.unusable(f"{host} redirects more than {_MOST_REDIRECTS} times")


def _get(url: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    connection = _connection(parts.hostname or "", parts.port or 443)
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    try:
        with outward():
            connection.connect()
        # the answer then holds the connection, and closes it at its end
        sent = {"User-Agent": "labs-sandbox", **headers, "Connection": "close"}
        connection.request("GET", target, headers=sent)
        return connection.getresponse()
    except _LOST as error:
        connection.close()
        raise _out_of_reach(parts.hostname or "", error) from error


def _connection(host: str, port: int) -> http.client.HTTPSConnection:
    proxy = None
    if not urllib.request.proxy_bypass(host):
        proxy = urllib.request.getproxies().get("https")
    if not proxy:
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT)
    where = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    connection = http.client.HTTPSConnection(
        where.hostname or "", where.port or 3128, timeout=TIMEOUT
    )
    connection.set_tunnel(host, port)
    return connection


class _Guarded:
    """A body whose connection may break: that is the upstream's failure, and none of the disk."""

    def __init__(self, response: http.client.HTTPResponse, host: str) -> None:
        self._response, self._host = response, host

    def readinto(self, buffer: memoryview, /) -> int:
        try:
            return self._response.readinto(buffer)
        except _LOST as error:
            raise _out_of_reach(self._host, error) from error

    def read(self, size: int, /) -> bytes:
        try:
            return self._response.read(size)
        except _LOST as error:
            raise _out_of_reach(self._host, error) from error

    def close(self) -> None:
        self._response.close()


def _out_of_reach(host: str, error: BaseException) -> UpstreamError:
    return UpstreamError(503, "UNAVAILABLE", f"{host} cannot be reached: {error}")
