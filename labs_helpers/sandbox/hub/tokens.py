"""Docker Hub's bearer tokens: which user may pull from which repositories, and until when.

A 401 answer names the token service. The client gets a token there, anonymously or with a password,
and repeats its request with the token. Sources:
https://distribution.github.io/distribution/spec/auth/token/ and
https://distribution.github.io/distribution/spec/auth/jwt/. The signing key lives as long as the
process; a client whose token is refused asks for another.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

LIFETIME = timedelta(seconds=300)
_SCOPE = re.compile(r"repository(?:\([a-z]+\))?:([^:\s]+):([a-z,*]+)", re.ASCII)


@dataclass(frozen=True)
class Access:
    """What a token allows: pulls from `repositories`. `user` is empty for an anonymous client."""

    user: str
    repositories: frozenset[str]


class TokenService:
    """Issues and reads tokens. The caller's clock gives every time."""

    def __init__(self) -> None:
        self._key = OctKey.import_key(secrets.token_bytes(32))

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
        return jwt.encode({"typ": "JWT", "alg": "HS256"}, claims, self._key)

    def read(self, token: str, now: datetime) -> Access | None:
        """What `token` allows at `now`; None if it is not ours, was altered or has expired."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
        except (JoseError, ValueError):
            return None
        if not claims["iat"] <= now.timestamp() < claims["exp"]:
            return None
        return Access(claims["sub"], frozenset(entry["name"] for entry in claims["access"]))


def scope_repositories(scopes: Iterable[str]) -> set[str]:
    """The repositories that `scope` parameters ask to pull from; other scopes are ignored."""
    requested = (_SCOPE.fullmatch(scope) for text in scopes for scope in text.split())
    return {match[1] for match in requested if match and {"pull", "*"} & {*match[2].split(",")}}
