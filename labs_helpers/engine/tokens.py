"""Bearer tokens of one registry: fetched from the server in its challenge, kept while valid.

Sources: https://distribution.github.io/distribution/spec/auth/token/ (GET),
https://distribution.github.io/distribution/spec/auth/oauth/ (POST with an identity token).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from .credentials import Credentials
from .registry_errors import RegistryError

DEFAULT_SECONDS = 60
"""Seconds a token lasts when the response gives no time: the specification's default."""

_MARGIN = timedelta(seconds=10)


class TokenResponse(Protocol):
    """The response of a token server."""

    def raise_for_status(self) -> TokenResponse:
        """Return the response. Raises RegistryError when it is an error."""

    def body(self) -> bytes:
        """The whole body."""


Send = Callable[[str, str, Mapping[str, str], bytes | None], TokenResponse]
"""method, URL, headers, body -> response"""


class Tokens:
    """The tokens of one client, by scope."""

    def __init__(self, credentials: Credentials, send: Send, now: Callable[[], datetime]) -> None:
        self._credentials, self._send, self._now = credentials, send, now
        self._tokens: dict[str, tuple[str, datetime]] = {}

    def token(self, parameters: Mapping[str, str], scope: str) -> str:
        """A valid token for a scope; ``parameters`` come from the registry's challenge.

        Raises:
            RegistryError: the token server refused, or sent no token.
            RequestFailed: the token server could not be reached.
        """
        if self._credentials.registry_token:
            return self._credentials.registry_token
        if scope in self._tokens:
            token, until = self._tokens[scope]
            if self._now() < until:
                return token
        document = self._fetch(parameters, scope)
        fetched = document.get("token") or document.get("access_token")
        if not isinstance(fetched, str) or not fetched.isprintable():
            raise RegistryError("authorization server did not include a token in the response")
        self._tokens[scope] = (fetched, self._now() + _lifetime(document))
        return fetched

    def forget(self, scope: str) -> bool:
        """Drop a token that the registry rejected; False when there was none."""
        return self._tokens.pop(scope, None) is not None

    def _fetch(self, parameters: Mapping[str, str], scope: str) -> dict[str, Any]:
        realm = parameters.get("realm", "")
        if not realm:
            raise RegistryError("no realm specified for token auth challenge")
        if not urlsplit(realm).netloc:
            raise RegistryError(f"invalid token auth challenge realm: no host in {realm}")
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
            response = self._send("POST", realm, kind, urlencode(form).encode())
        else:
            basic = self._credentials.basic
            query |= {"account": self._credentials.username} if basic else {}
            separator = "&" if urlsplit(realm).query else "?"
            headers = {"Authorization": basic} if basic else {}
            response = self._send("GET", f"{realm}{separator}{urlencode(query)}", headers, None)
        try:
            decoded = json.loads(response.raise_for_status().body())
        except (ValueError, RecursionError) as error:
            raise RegistryError(f"unable to decode token response: {error}") from error
        if not isinstance(decoded, dict):
            raise RegistryError("unable to decode token response: it is not an object")
        return decoded


def _lifetime(document: Mapping[str, Any]) -> timedelta:
    seconds = document.get("expires_in")
    if not isinstance(seconds, int | float) or not 0 < seconds < 10**9:
        seconds = DEFAULT_SECONDS
    return max(timedelta(seconds=seconds) - _MARGIN, timedelta(seconds=1))
