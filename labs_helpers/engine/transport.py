"""HTTP to one registry: connections kept, names mapped, credentials added, redirects followed.

Authentication: https://distribution.github.io/distribution/spec/auth/token/ and RFC 7617.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Mapping
from typing import BinaryIO
from urllib.parse import urlencode, urljoin, urlsplit

from .credentials import Challenge, Credentials, challenges
from .errors import EngineError
from .hosts import Endpoint, HostMap
from .registry_errors import NoCredentials, RegistryError, RequestFailed, from_answer

PORTION = 1024 * 1024
TIMEOUT = 300.0
"""Seconds without a byte before a registry is given up."""

_ATTEMPTS = 3
_BODY_LIMIT = 8 * 1024 * 1024
_LOST = (ConnectionError, http.client.HTTPException, TimeoutError)
_REDIRECTS = (301, 302, 303, 307, 308)


class Answer:
    """A registry's answer; read it whole or in portions before the next request."""

    def __init__(self, response: http.client.HTTPResponse, url: str) -> None:
        self._response = response
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
            self._response.close()
            raise EngineError(f"the answer of {self.url} has more than {_BODY_LIMIT} bytes")
        return data

    def raise_for_status(self) -> Answer:
        """This answer, unless it is an error: then RegistryError, as dockerd words it."""
        if self.status < 400:
            return self
        authenticate = self._response.headers.get_all("WWW-Authenticate") or []
        kind = self.headers.get("Content-Type")
        raise from_answer(self.status, kind, authenticate, self.body())


class Transport:
    """Requests to one registry on behalf of one client. Not shared between threads."""

    def __init__(
        self,
        host: str,
        hosts: HostMap,
        credentials: Credentials,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._hosts = hosts
        self._credentials = credentials
        self._pause = pause
        self._connections: dict[tuple[str, int, bool], http.client.HTTPConnection] = {}
        self._challenge: Challenge | None = None
        self._pinged = False
        self._tokens: dict[str, str] = {}
        self.endpoint = hosts.endpoint(host)

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
        """Send a request, again when the connection is lost, and return the answer, any status.

        Args:
            url: a URL of the registry, or its path.
            scope: what a Bearer token has to allow, e.g. ``repository:demo:pull,push``.

        Raises:
            RequestFailed: no connection, or no credentials that the registry would take.
            Offline: the registry, or a host it redirects to, is not in the map.
        """
        url = urljoin(self.url("/"), url)
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
        except _LOST:
            self._drop(connection)
            raise
        return connection, url

    def finish_upload(self, connection: http.client.HTTPConnection, url: str) -> Answer:
        """The answer to a request started with ``open_upload``."""
        try:
            return Answer(connection.getresponse(), url)
        except _LOST:
            self._drop(connection)
            raise

    def ping(self) -> Answer:
        """``GET /v2/`` without credentials: how the registry wants to be asked."""
        answer = self._send("GET", self.url("/v2/"), {}, None)
        answer.body()
        found = challenges(_all(answer, "WWW-Authenticate")) if answer.status == 401 else []
        known = [challenge for challenge in found if challenge.scheme in ("basic", "bearer")]
        self._challenge = known[0] if known else None
        self._pinged = True
        return answer

    def _authorization(self, scope: str) -> str | None:
        if not self._pinged:
            self.ping()
        if self._challenge is None:
            return None
        if self._challenge.scheme == "basic":
            if self._credentials.basic is None:
                raise NoCredentials
            return self._credentials.basic
        if self._credentials.registry_token:
            return f"Bearer {self._credentials.registry_token}"
        if scope not in self._tokens:
            self._tokens[scope] = self._fetch_token(self._challenge.parameters, scope)
        return f"Bearer {self._tokens[scope]}"

    def _fetch_token(self, parameters: Mapping[str, str], scope: str) -> str:
        realm = parameters.get("realm", "")
        if not urlsplit(realm).netloc:
            raise RegistryError("no auth realm was set in the registry's challenge")
        query = {"service": parameters.get("service", "")}
        query |= {"scope": scope} if scope else {}
        if self._credentials.identity_token:
            form = {
                **query,
                "grant_type": "refresh_token",
                "client_id": "docker",
                "refresh_token": self._credentials.identity_token,
            }
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._send("POST", realm, kind, urlencode(form).encode())
        else:
            basic = self._credentials.basic
            query |= {"account": self._credentials.username} if basic else {}
            separator = "&" if urlsplit(realm).query else "?"
            answer = self._send(
                "GET",
                f"{realm}{separator}{urlencode(query)}",
                {"Authorization": basic} if basic else {},
                None,
            )
        document = answer.raise_for_status().body()
        try:
            decoded = json.loads(document)
            token = decoded.get("token") or decoded.get("access_token")
        except (ValueError, AttributeError) as error:
            raise RegistryError(f"unable to decode token response: {error}") from error
        if not isinstance(token, str) or not token.isprintable():
            raise RegistryError("authorization server did not include a token in the response")
        return token

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        for attempt in range(1, _ATTEMPTS + 1):
            connection, endpoint, target = self._connection(url)
            sent = _complete(endpoint, headers)
            try:
                connection.request(method, target, body=body, headers=sent)
                return Answer(connection.getresponse(), url)
            except _LOST as error:
                self._drop(connection)
                if attempt == _ATTEMPTS:
                    raise RequestFailed(method, url, _described(error, endpoint)) from error
                self._pause(0.1 * attempt)
            except OSError as error:
                self._drop(connection)
                raise RequestFailed(method, url, error) from error
        raise AssertionError("unreachable")

    def _connection(self, url: str) -> tuple[http.client.HTTPConnection, Endpoint, str]:
        parts = urlsplit(url)
        own = parts.netloc.lower() == self.endpoint.host
        endpoint = self.endpoint if own else self._hosts.endpoint(parts.netloc)
        key = (endpoint.address, endpoint.port, endpoint.tls)
        if key not in self._connections:
            kind = http.client.HTTPSConnection if endpoint.tls else http.client.HTTPConnection
            self._connections[key] = kind(endpoint.address, endpoint.port, timeout=TIMEOUT)
        target = parts.path or "/"
        return (
            self._connections[key],
            endpoint,
            f"{target}?{parts.query}" if parts.query else target,
        )

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        with contextlib.suppress(OSError):
            connection.close()


def _complete(endpoint: Endpoint, headers: Mapping[str, str]) -> dict[str, str]:
    return {"Host": endpoint.host, "User-Agent": "docker/labs-engine", **headers}


def _all(answer: Answer, name: str) -> list[str]:
    return [value for key, value in answer.headers.items() if key.lower() == name.lower()]


def _described(error: BaseException, endpoint: Endpoint) -> Exception:
    if isinstance(error, ConnectionRefusedError):
        advice = " (is the sandbox running? `labs start` starts it)" if endpoint.mapped else ""
        return EngineError(
            f"dial tcp {endpoint.address}:{endpoint.port}: connect: connection refused{advice}"
        )
    return EngineError(str(error) or type(error).__name__)
