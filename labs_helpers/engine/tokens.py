"""Bearer tokens of one registry: asked for where its challenge says, kept while they are valid.

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

SHORTEST = 60
"""Seconds a token lasts when the answer does not say: the specification's default."""

_MARGIN = timedelta(seconds=10)


class Told(Protocol):
    """A token server's answer."""

    def raise_for_status(self) -> Told:
        """Itself, unless it is an error."""

    def body(self) -> bytes:
        """The whole of it."""


Send = Callable[[str, str, Mapping[str, str], bytes | None], Told]
"""method, URL, headers, body -> answer"""


class Tokens:
    """The tokens of one client, by scope."""

    def __init__(self, credentials: Credentials, send: Send, now: Callable[[], datetime]) -> None:
        self._credentials, self._send, self._now = credentials, send, now
        self._kept: dict[str, tuple[str, datetime]] = {}

    def token(self, parameters: Mapping[str, str], scope: str) -> str:
        """A valid token for a scope; ``parameters`` are those of the registry's challenge.

        Raises:
            RegistryError: the token server's refusal, or it gave no token.
            RequestFailed: it could not be asked.
        """
        if self._credentials.registry_token:
            return self._credentials.registry_token
        if kept := self._kept.get(scope):
            token, until = kept
            if self._now() < until:
                return token
        document = self._ask(parameters, scope)
        given = document.get("token") or document.get("access_token")
        if not isinstance(given, str) or not given.isprintable():
            raise RegistryError("authorization server did not include a token in the response")
        self._kept[scope] = (given, self._now() + _lifetime(document))
        return given

    def forget(self, scope: str) -> bool:
        """Drop a token that the registry did not take; False when it was not one of ours."""
        return self._kept.pop(scope, None) is not None

    def _ask(self, parameters: Mapping[str, str], scope: str) -> dict[str, Any]:
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
            given = {"Authorization": basic} if basic else {}
            answer = self._send("GET", f"{realm}{separator}{urlencode(query)}", given, None)
        try:
            decoded = json.loads(answer.raise_for_status().body())
        except (ValueError, RecursionError) as error:
            raise RegistryError(f"unable to decode token response: {error}") from error
        if not isinstance(decoded, dict):
            raise RegistryError("unable to decode token response: it is not an object")
        return decoded


def _lifetime(document: Mapping[str, Any]) -> timedelta:
    seconds = document.get("expires_in")
    if not isinstance(seconds, int | float) or not 0 < seconds < 10**9:
        seconds = SHORTEST
    return max(timedelta(seconds=seconds) - _MARGIN, timedelta(seconds=1))
