"""Docker Hub's bearer tokens: who pulls, what from, until when.

A client that is answered 401 asks the token service named there for a token and comes back with
it; anonymous pulls do so too. Sources: https://distribution.github.io/distribution/spec/auth/token/
and https://distribution.github.io/distribution/spec/auth/jwt/. The tokens have the three parts of
a JWT, signed with a key that lives as long as the process: a client simply asks again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

LIFETIME = timedelta(seconds=300)
_SCOPE = re.compile(r"repository(?:\([a-z]+\))?:([^:\s]+):([a-z,*]+)", re.ASCII)


@dataclass(frozen=True)
class Grant:
    """What a token allows: pulling from `repositories`; `user` is empty when anonymous."""

    user: str
    repositories: frozenset[str]


class TokenService:
    """Issues and reads tokens; all times come from the caller's clock."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, user: str, repositories: Iterable[str], service: str, now: datetime) -> str:
        """A token for `user` to pull from `repositories`, valid for LIFETIME from `now`."""
        claims = {
            "iss": "auth.docker.io",
            "aud": service,
            "sub": user,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "access": [
                {"type": "repository", "name": name, "actions": ["pull"]}
                for name in sorted(repositories)
            ],
        }
        signed = f"{_encode({'typ': 'JWT', 'alg': 'HS256'})}.{_encode(claims)}"
        return f"{signed}.{_base64(self._sign(signed))}"

    def read(self, token: str, now: datetime) -> Grant | None:
        """What `token` allows at `now`; None when it is not ours, altered or expired."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(_base64(self._sign(signed)).encode(), signature.encode()):
            return None
        claims: dict[str, Any] = json.loads(_decode(signed.partition(".")[2]))
        if not claims["iat"] <= now.timestamp() < claims["exp"]:
            return None
        return Grant(claims["sub"], frozenset(access["name"] for access in claims["access"]))

    def _sign(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), hashlib.sha256)


def scope_repositories(scopes: Iterable[str]) -> set[str]:
    """The repositories that `scope` parameters ask to pull from; other scopes are ignored."""
    asked = (_SCOPE.fullmatch(scope) for text in scopes for scope in text.split())
    return {
        found[1] for found in asked if found is not None and {"pull", "*"} & {*found[2].split(",")}
    }


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """User and password of a Basic Authorization header, or None when it is not one."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def _encode(document: dict[str, Any]) -> str:
    return _base64(json.dumps(document, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
