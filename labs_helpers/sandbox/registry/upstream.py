"""A client of an upstream registry, for the pull through cache: tokens, manifests and blobs.

Whom it asks is a function: a WSGI application of this process, the stand-in for Docker Hub and ECR
Public, or the registry itself (`internet`). The steps are the same: the registry's challenge names
a token service, or asks for a name and a password (RFC 7617), or there is none.
Source: https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit
from wsgiref.types import WSGIApplication, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

from labs_helpers.oci import digest as digests
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr.cache_rules import Credentials


class Body(Protocol):
    """The body of an answer, which is read once and closed."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer from its beginning, and return the number of bytes; 0 at the end."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; fewer only at the end."""

    def close(self) -> None:
        """Give back what the body holds; unread bytes are lost."""


Answer = tuple[int, Mapping[str, str], Body]
"""(status, headers by lower-case name, body)."""

Ask = Callable[[str, str, str, Mapping[str, str]], Answer]
"""(host, path, query, headers) -> the answer to a GET; raises UpstreamError."""

_ACCEPT = ", ".join(sorted({*media_types.INDEXES, *media_types.MANIFESTS}))

_PARAMETER = re.compile(r'([a-z_]+)="([^"]*)"', re.IGNORECASE)


def asking(application: WSGIApplication) -> Ask:
    """Ask a WSGI application of this process."""

    def ask(host: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": host,
            "REMOTE_ADDR": "127.0.0.1",
        }
        for name, value in headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        setup_testing_defaults(environ)
        answered: dict[str, Any] = {}

        def start(status: str, given: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            answered["status"] = int(status.split()[0])
            answered["headers"] = {name.lower(): value for name, value in given}
            return BytesIO().write

        body = b"".join(application(environ, start))
        return answered["status"], answered["headers"], BytesIO(body)

    return ask


class UpstreamError(Exception):
    """The upstream refuses, or cannot be used: HTTP status, its code and its message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @classmethod
    def unusable(cls, what: str) -> UpstreamError:
        """The upstream answers with something that is no image."""
        return cls(502, "UNAVAILABLE", what)


class Upstream:
    """One upstream registry, as one account or, for None, as nobody. Not thread-safe."""

    def __init__(self, ask: Ask, host: str, account: Credentials | None = None) -> None:
        self.ask, self.host, self.account = ask, host, account
        self._challenge: str | None = None
        self._authorizations: dict[str, str] = {}

    def manifest(self, repository: str, reference: str) -> tuple[str, bytes]:
        """The media type and the bytes of a manifest, by tag or digest; raises UpstreamError."""
        path = f"/v2/{repository}/manifests/{reference}"
        headers, stream = self._get(path, repository, {"Accept": _ACCEPT})
        with closing(stream):
            body = _whole(stream, manifests.MAX_SIZE)
        if ":" in reference and not _is(body, reference):
            raise UpstreamError.unusable(f"{self.host} sends another manifest for {reference}")
        return headers.get("content-type", "").partition(";")[0].strip(), body

    def blob(self, repository: str, digest: str) -> Body:
        """A layer or a configuration, to be read and closed; raises UpstreamError."""
        return self._get(f"/v2/{repository}/blobs/{digest}", repository, {})[1]

    def log_in(self) -> None:
        """Raise UpstreamError unless the upstream knows the account."""
        authorization = self._authorize("")
        headers = {"Authorization": authorization} if authorization else {}
        self._checked(self.ask(self.host, "/v2/", "", headers))[1].close()

    def _get(
        self, path: str, repository: str, headers: Mapping[str, str]
    ) -> tuple[Mapping[str, str], Body]:
        answer = self._ask_authorized(path, repository, headers)
        challenge = answer[1].get("www-authenticate")
        if answer[0] == 401 and challenge:
            # a token lives for minutes, and the layers of an image may take longer; and a registry
            # may ask for one here only
            answer[2].close()
            self._challenge = challenge
            del self._authorizations[repository]
            answer = self._ask_authorized(path, repository, headers)
        return self._checked(answer)

    def _ask_authorized(self, path: str, repository: str, headers: Mapping[str, str]) -> Answer:
        if repository not in self._authorizations:
            self._authorizations[repository] = self._authorize(repository)
        authorization = self._authorizations[repository]
        if authorization:
            headers = {**headers, "Authorization": authorization}
        return self.ask(self.host, path, "", headers)

    def _authorize(self, repository: str) -> str:
        """The Authorization header that the registry's challenge asks for; empty for none."""
        if self._challenge is None:
            status, headers, body = self.ask(self.host, "/v2/", "", {})
            body.close()
            self._challenge = headers.get("www-authenticate", "") if status == 401 else ""
        scheme = self._challenge.partition(" ")[0].lower()
        if scheme == "basic":
            return self._basic()
        if scheme != "bearer":
            return ""
        parameters = dict(_PARAMETER.findall(self._challenge))
        return f"Bearer {self._token(parameters, repository)}"

    def _token(self, parameters: Mapping[str, str], repository: str) -> str:
        try:
            realm = urlsplit(parameters.get("realm", ""))
        except ValueError as error:
            raise UpstreamError.unusable(f"{self.host} names no token service: {error}") from error
        asked = [("service", parameters["service"])] if "service" in parameters else []
        if "scope" in parameters:
            asked.append(("scope", parameters["scope"]))
        if repository:
            asked.append(("scope", f"repository:{repository}:pull"))
        basic = self._basic()
        headers = {"Authorization": basic} if basic else {}
        query = "&".join(each for each in (realm.query, urlencode(asked)) if each)
        _, stream = self._checked(self.ask(realm.netloc, realm.path or "/", query, headers))
        with closing(stream):
            body = _whole(stream, manifests.MAX_SIZE)
        try:
            found = json.loads(body)
            return str(found.get("token") or found["access_token"])
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise UpstreamError.unusable(f"{realm.netloc} sends no token") from None

    def _basic(self) -> str:
        if self.account is None:
            return ""
        pair = f"{self.account.username}:{self.account.access_token}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    def _checked(self, answer: Answer) -> tuple[Mapping[str, str], Body]:
        status, headers, stream = answer
        if status == 200:
            return headers, stream
        code, message = "UNKNOWN", f"the upstream answered {status}"
        with closing(stream):
            try:
                first = json.loads(_whole(stream, manifests.MAX_SIZE))["errors"][0]
                code, message = str(first["code"]), str(first["message"])
            except (ValueError, LookupError, TypeError, RecursionError):
                pass  # not in the form of a registry's errors: the status says enough
        raise UpstreamError(status, code, message)


def _whole(stream: Body, limit: int) -> bytes:
    """The whole body; raises UpstreamError above the limit, in bytes."""
    parts: list[bytes] = []
    left = limit + 1
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    if not left:
        raise UpstreamError.unusable(f"the upstream's answer has more than {limit} bytes")
    return b"".join(parts)


def _is(body: bytes, digest: str) -> bool:
    """Whether the bytes have that digest."""
    try:
        return digests.of_bytes(body, digests.parse(digest).algorithm) == digest
    except digests.DigestError:
        return False
