"""HTTP to one registry: connections kept, names mapped, credentials added, redirects followed.

Authentication: https://distribution.github.io/distribution/spec/auth/token/ and RFC 7617. A host
that the map does not have is reached with TLS, verified by the system's certificates, through the
proxy that HTTPS_PROXY names unless NO_PROXY has the host.
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
from .registry_errors import NoCredentials, RegistryError, RequestFailed, from_answer
from .tokens import Tokens

TIMEOUT = 300.0
"""Seconds without a byte before a registry is given up."""

LOST = (ConnectionError, http.client.HTTPException, TimeoutError)
"""What a connection that broke raises; the request can be sent again on a new one."""

_BODY_LIMIT = 8 * 1024 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)


class Answer:
    """A registry's answer; read it whole or in portions before the next request."""

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
        """The body, unread."""
        return self._response

    def body(self) -> bytes:
        """The whole body, at most a few megabytes: manifests and errors."""
        data = self._response.read(_BODY_LIMIT + 1)
        if len(data) > _BODY_LIMIT:
            self.abandon()
            raise EngineError(f"the answer of {self.url} has more than {_BODY_LIMIT} bytes")
        return data

    def abandon(self) -> None:
        """Give up a body that is not read to its end: its connection serves nothing more."""
        self._response.close()
        self._connection.close()

    def raise_for_status(self) -> Answer:
        """This answer, unless it is an error: then RegistryError, as dockerd words it."""
        if self.status < 400:
            return self
        authenticate = self._response.headers.get_all("WWW-Authenticate") or []
        kind = self.headers.get("Content-Type")
        raise from_answer(self.status, kind, authenticate, self.body())


class Transport:
    """Requests to one registry on behalf of one client. Not shared between threads."""

    def __init__(self, host: str, hosts: HostMap, credentials: Credentials) -> None:
        self._hosts = hosts
        self.patience = hosts.patience
        self._credentials = credentials
        self._connections: dict[tuple[str, int, bool], http.client.HTTPConnection] = {}
        self._challenge: Challenge | None = None
        self._pinged = False
        self._tokens = Tokens(credentials, self._send, hosts.patience.now)
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
    ) -> Answer:
        """Send a request, again as long as Patience says, and return the answer, any status.

        Args:
            url: a URL of the registry, or its path.
            scope: what a Bearer token has to allow, e.g. ``repository:demo:pull,push``.

        Raises:
            RequestFailed: no connection, or no credentials that the registry would take.
            Offline: the registry, or a host it redirects to, is not in the map.
        """
        url = urljoin(self.url("/"), url)
        answer = self._send(method, url, self.authorized(method, url, scope, headers), body)
        if answer.status == 401 and self._tokens.forget(scope):
            # the token ran out earlier than it said, or was withdrawn: a new one, once
            self._learn(answer)
            answer.body()
            answer = self._send(method, url, self.authorized(method, url, scope, headers), body)
        for _ in range(5):
            if answer.status not in _REDIRECTS or method not in ("GET", "HEAD"):
                break
            answer.body()
            target = urljoin(answer.url, answer.headers.get("Location") or "")
            answer = self._send(
                method, target, self.authorized(method, target, scope, headers), None
            )
        return answer

    def authorized(
        self, method: str, url: str, scope: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Headers with the Authorization that the registry's challenge asks for.

        Credentials are for the registry, not for a store that it redirects to.
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
        """Start a request whose body the caller sends; finish it with ``finish_upload``."""
        url = urljoin(self.url("/"), url)
        connection, endpoint, target = self._connection(url)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in _complete(endpoint, headers).items():
                connection.putheader(name, value)
            connection.endheaders()
        except LOST:
            self._drop(connection)
            raise
        return connection, url

    def finish_upload(self, connection: http.client.HTTPConnection, url: str) -> Answer:
        """The answer to a request started with ``open_upload``."""
        try:
            return Answer(connection.getresponse(), url, connection)
        except LOST:
            self._drop(connection)
            raise

    def ping(self) -> Answer:
        """``GET /v2/`` without credentials: how the registry wants to be asked."""
        answer = self._send("GET", self.url("/v2/"), {}, None)
        answer.body()
        self._learn(answer)
        self._pinged = True
        return answer

    def _learn(self, answer: Answer) -> None:
        found = challenges(_all(answer, "WWW-Authenticate")) if answer.status == 401 else []
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
    ) -> Answer:
        for attempt in itertools.count(1):
            connection, endpoint, target = self._connection(url)
            sent = _complete(endpoint, headers)
            try:
                connection.request(method, target, body=body, headers=sent)
                answer = Answer(connection.getresponse(), url, connection)
            except LOST as error:
                self._drop(connection)
                if not self.patience.after_loss(attempt, isinstance(error, ConnectionRefusedError)):
                    raise RequestFailed(method, url, _described(error, endpoint)) from error
                continue
            except OSError as error:
                self._drop(connection)
                raise RequestFailed(method, url, _described(error, endpoint)) from error
            if not self.patience.after_answer(attempt, answer.status, answer.headers):
                return answer
            answer.abandon()
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


def _complete(endpoint: Endpoint, headers: Mapping[str, str]) -> dict[str, str]:
    return {"Host": endpoint.host, "User-Agent": "docker/labs-engine", **headers}


def _all(answer: Answer, name: str) -> list[str]:
    return [value for key, value in answer.headers.items() if key.lower() == name.lower()]


def _described(error: BaseException, endpoint: Endpoint) -> Exception:
    """What went wrong in Go's words, which are those that people search for."""
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
