"""HTTP to one registry: keeps connections, maps names, adds credentials, follows redirects.

Authentication: https://distribution.github.io/distribution/spec/auth/token/ and RFC 7617. Hosts
outside the map are reached with TLS, verified with the system's certificates, and through the
proxy in HTTPS_PROXY unless NO_PROXY lists the host.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
import ssl
import urllib.request
from collections.abc import Mapping
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

from .credentials import Challenge, Credentials, challenges
from .errors import EngineError
from .hosts import Endpoint, HostMap
from .registry_errors import NoCredentials, RegistryError, RequestFailed, from_response
from .tokens import Tokens

TIMEOUT = 300.0
"""Seconds without a byte after which a request fails."""

CONNECTION_LOST = (ConnectionError, http.client.HTTPException, TimeoutError)
"""The errors of a broken connection; the request can be sent again on a new one."""

_BODY_LIMIT = 8 * 1024 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)


class RegistryResponse:
    """A registry's response; read the body, whole or in parts, before the next request."""

    def __init__(
        self,
        response: http.client.HTTPResponse,
        url: str,
        connection: http.client.HTTPConnection,
    ) -> None:
        self._response, self._connection = response, connection
        self.url = url
        self.status = response.status
        self.headers = response.headers

    @property
    def stream(self) -> BinaryIO:
        """The body, which has not been read."""
        return self._response

    def body(self) -> bytes:
        """The whole body, for manifests and errors. Raises EngineError above 8 MiB."""
        data = self._response.read(_BODY_LIMIT + 1)
        if len(data) > _BODY_LIMIT:
            self.abandon()
            raise EngineError(f"the response of {self.url} has more than {_BODY_LIMIT} bytes")
        return data

    def abandon(self) -> None:
        """Close the connection of a body that is not read to its end."""
        self._response.close()
        self._connection.close()

    def raise_for_status(self) -> RegistryResponse:
        """Return this response. Raises RegistryError, in dockerd's words, when it is an error."""
        if self.status < 400:
            return self
        authenticate = self._response.headers.get_all("WWW-Authenticate") or []
        kind = self.headers.get("Content-Type")
        raise from_response(self.status, kind, authenticate, self.body())


class Transport:
    """Requests to one registry with the credentials of one client. Not thread-safe."""

    def __init__(self, host: str, hosts: HostMap, credentials: Credentials) -> None:
        self._hosts = hosts
        self.retry_policy = hosts.retry_policy
        self._credentials = credentials
        self._connections: dict[tuple[str, int, bool], http.client.HTTPConnection] = {}
        self._challenge: Challenge | None = None
        self._pinged = False
        self._tokens = Tokens(credentials, self._send, hosts.retry_policy.now)
        self.endpoint = hosts.endpoint(host)

    def clone(self) -> Transport:
        """A transport for another thread that already knows the registry's challenge."""
        clone = Transport(self.endpoint.host, self._hosts, self._credentials)
        clone._challenge, clone._pinged = self._challenge, self._pinged
        return clone

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def url(self, path: str) -> str:
        """The URL of a path of the registry, as messages show it."""
        return self.endpoint.url + path

    def request(
        self,
        method: str,
        url: str,
        scope: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> RegistryResponse:
        """Send a request, with retries, and return the response of any status.

        Args:
            url: a URL of the registry, or its path.
            scope: the scope of the Bearer token, e.g. ``repository:demo:pull,push``.

        Raises:
            RequestFailed: there is no connection, or there are no credentials for this registry.
            Offline: the map lacks the registry, or a host that it redirects to.
        """
        url = urljoin(self.url("/"), url)

        def send(target: str, body: bytes | None) -> RegistryResponse:
            authorized = self.with_authorization(method, target, scope, headers)
            return self._send(method, target, authorized, body)

        response = send(url, body)
        if response.status == 401 and self._tokens.forget(scope):
            # the token expired early or was revoked: fetch a new one, once
            self._learn_challenge(response)
            response.body()
            response = send(url, body)
        for _ in range(5):
            if response.status not in _REDIRECTS or method not in ("GET", "HEAD"):
                break
            response.body()
            response = send(urljoin(response.url, response.headers.get("Location") or ""), None)
        return response

    def with_authorization(
        self, method: str, url: str, scope: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The headers, and the Authorization header that the registry's challenge requires.

        Other hosts, to which the registry redirects, get no credentials.
        """
        result = dict(headers or {})
        if urlsplit(url).netloc.lower() != self.endpoint.host:
            return result
        try:
            value = self._authorization(scope)
        except (NoCredentials, RegistryError) as error:
            raise RequestFailed(method, url, error) from error
        if value:
            result["Authorization"] = value
        return result

    def open_upload(
        self, method: str, url: str, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPConnection, str]:
        """Start a request; the caller sends the body, then calls ``finish_upload``."""
        url = urljoin(self.url("/"), url)
        connection, endpoint, target = self._connection(url)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in _with_host(endpoint, headers).items():
                connection.putheader(name, value)
            connection.endheaders()
        except CONNECTION_LOST:
            self._drop(connection)
            raise
        return connection, url

    def finish_upload(self, connection: http.client.HTTPConnection, url: str) -> RegistryResponse:
        """The response to a request that ``open_upload`` started."""
        try:
            return RegistryResponse(connection.getresponse(), url, connection)
        except CONNECTION_LOST:
            self._drop(connection)
            raise

    def ping(self) -> RegistryResponse:
        """Send ``GET /v2/`` without credentials, and learn the registry's challenge."""
        response = self._send("GET", self.url("/v2/"), {}, None)
        response.body()
        self._learn_challenge(response)
        self._pinged = True
        return response

    def _learn_challenge(self, response: RegistryResponse) -> None:
        found = (
            challenges(_header_values(response, "WWW-Authenticate"))
            if response.status == 401
            else []
        )
        known = [challenge for challenge in found if challenge.scheme in ("basic", "bearer")]
        self._challenge = known[0] if known else None

    def _authorization(self, scope: str) -> str | None:
        if not self._pinged:
            self.ping()
        if self._challenge is None:
            return None
        if self._challenge.scheme == "basic":
            if self._credentials.basic is None:
                raise NoCredentials
            return self._credentials.basic
        return f"Bearer {self._tokens.token(self._challenge.parameters, scope)}"

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> RegistryResponse:
        for attempt in itertools.count(1):
            connection, endpoint, target = self._connection(url)
            sent = _with_host(endpoint, headers)
            try:
                connection.request(method, target, body=body, headers=sent)
                response = RegistryResponse(connection.getresponse(), url, connection)
            except CONNECTION_LOST as error:
                self._drop(connection)
                if not self.retry_policy.after_loss(
                    attempt, isinstance(error, ConnectionRefusedError)
                ):
                    raise RequestFailed(method, url, _go_error(error, endpoint)) from error
                continue
            except OSError as error:
                self._drop(connection)
                raise RequestFailed(method, url, _go_error(error, endpoint)) from error
            if not self.retry_policy.after_response(attempt, response.status, response.headers):
                return response
            response.abandon()
        raise AssertionError("unreachable")

    def _connection(self, url: str) -> tuple[http.client.HTTPConnection, Endpoint, str]:
        parts = urlsplit(url)
        own = parts.netloc.lower() == self.endpoint.host
        endpoint = self.endpoint if own else self._hosts.endpoint(parts.netloc)
        key = (endpoint.address, endpoint.port, endpoint.tls)
        if key not in self._connections:
            self._connections[key] = _connection_to(endpoint, self._hosts.tls)
        target = parts.path or "/"
        return (
            self._connections[key],
            endpoint,
            f"{target}?{parts.query}" if parts.query else target,
        )

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        with contextlib.suppress(OSError):
            connection.close()


def _connection_to(
    endpoint: Endpoint, context: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    if not endpoint.tls:
        return http.client.HTTPConnection(endpoint.address, endpoint.port, timeout=TIMEOUT)
    proxy = None
    if not endpoint.mapped and not urllib.request.proxy_bypass(endpoint.address):
        proxy = urllib.request.getproxies().get("https")
    where = urlsplit(proxy if proxy and "//" in proxy else f"//{proxy or endpoint.address}")
    connection = http.client.HTTPSConnection(
        where.hostname or endpoint.address,
        where.port or (3128 if proxy else endpoint.port),
        timeout=TIMEOUT,
        context=context,
    )
    if proxy:
        connection.set_tunnel(endpoint.address, endpoint.port)
    return connection


def _with_host(endpoint: Endpoint, headers: Mapping[str, str]) -> dict[str, str]:
    return {"Host": endpoint.host, "User-Agent": "docker/labs-engine", **headers}


def _header_values(response: RegistryResponse, name: str) -> list[str]:
    return [value for key, value in response.headers.items() if key.lower() == name.lower()]


def _go_error(error: BaseException, endpoint: Endpoint) -> Exception:
    """The error in Go's words, which people search for."""
    if isinstance(error, ConnectionRefusedError):
        advice = " (is the sandbox running? `labs start` starts it)" if endpoint.mapped else ""
        return EngineError(
            f"dial tcp {endpoint.address}:{endpoint.port}: connect: connection refused{advice}"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return EngineError(f"tls: failed to verify certificate: x509: {error.verify_message}")
    if isinstance(error, socket.gaierror):
        return EngineError(f"dial tcp: lookup {endpoint.address}: no such host")
    return EngineError(str(error) or type(error).__name__)
