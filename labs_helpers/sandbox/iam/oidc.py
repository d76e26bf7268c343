"""A provider of web identity tokens inside the sandbox: GitHub Actions' issuer, our own key.

The tokens have the claims of GitHub's, so that a trust policy written for them is tried for real:
https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from labs_helpers.files import cannot_write, write_text
from labs_helpers.runtime.database import dated

log = logging.getLogger(__name__)

ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"

_LIFETIME = timedelta(minutes=5)
_BEFORE = timedelta(minutes=10)


class NotAToken(Exception):
    """The text is no JSON Web Token."""


class NotVerified(Exception):
    """The token is not from this provider: another issuer, or not our signature."""


@dataclass(frozen=True)
class Token:
    """A token as read; nobody has verified its claims yet."""

    text: str
    claims: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        return str(self.claims.get("iss", ""))

    @property
    def audience(self) -> str:
        """What a provider's client ids are compared with: `azp` when there is one, else `aud`."""
        found = self.claims.get("azp") or self.claims.get("aud", "")
        return str(found[0] if isinstance(found, list) and found else found)


class TokenIssuer:
    """Thread-safe; its RSA key is made when first needed and kept in the sandbox's folder."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._path = folder / "oidc-key.pem"
        self._now = now
        self._lock = threading.Lock()
        self._key: Any = None

    def mint(
        self,
        subject: str,
        audience: str = AUDIENCE,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A signed token; `claims` replace those that GitHub fills in.

        Raises WorkspaceError when the key cannot be kept.
        """
        from joserfc import jwt

        now = self._now()
        document = {
            "jti": secrets.token_hex(16),
            "sub": subject,
            "aud": audience,
            "iss": ISSUER,
            **_of_repository(subject),
            "iat": int(now.timestamp()),
            "nbf": int((now - _BEFORE).timestamp()),
            "exp": int((now + _LIFETIME).timestamp()),
            **(claims or {}),
        }
        key = self._ready()
        return jwt.encode({"alg": "RS256", "kid": key.kid}, document, key)

    def verify(self, token: Token) -> None:
        """Raise NotVerified unless this provider signed the token."""
        from joserfc import jws
        from joserfc.errors import JoseError

        if token.issuer != ISSUER:
            raise NotVerified(f"the sandbox mints no tokens of {token.issuer}")
        try:
            jws.deserialize_compact(token.text, self._ready(), algorithms=["RS256"])
        except (JoseError, ValueError) as error:
            raise NotVerified(str(error)) from error

    def _ready(self) -> Any:
        from joserfc.jwk import RSAKey

        with self._lock:
            if self._key is None:
                self._key = self._kept() or self._made()
                self._key.ensure_kid()
            assert isinstance(self._key, RSAKey)
            return self._key

    def _kept(self) -> Any:
        from joserfc.errors import JoseError
        from joserfc.jwk import RSAKey

        try:
            key = RSAKey.import_key(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise cannot_write(self._path, error) from error
        except (JoseError, ValueError) as error:
            aside = dated(self._path)
            self._path.replace(aside)
            log.error("The key of web identity tokens was damaged (%s); kept as %s", error, aside)
            return None
        return key if key.is_private else None

    def _made(self) -> Any:
        from joserfc.jwk import RSAKey

        key = RSAKey.generate_key(2048)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(self._path, key.as_pem(private=True).decode(), mode=0o600)
        return key


def read(text: str) -> Token:
    """The claims of a token, without verifying its signature; raises NotAToken."""
    from joserfc import jws
    from joserfc.errors import JoseError

    try:
        claims = json.loads(jws.extract_compact(text.encode()).payload)
    except (JoseError, ValueError) as error:
        raise NotAToken(str(error)) from error
    if not isinstance(claims, dict):
        raise NotAToken("its claims are no JSON object")
    return Token(text, claims)


def _of_repository(subject: str) -> dict[str, str]:
    """The claims that GitHub fills in beside `repo:octo-org/octo-repo:ref:refs/heads/main`.

    Since July 2026 the names may have their numbers behind them, `repo:octo-org@1/octo-repo@2:...`:
    https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
    """
    kind, _, rest = subject.partition(":")
    repository, _, where = rest.partition(":")
    first, slash, second = repository.partition("/")
    if kind != "repo" or not slash:
        return {}
    owner, _, owner_id = first.partition("@")
    name, _, repository_id = second.partition("@")
    found = {"repository": f"{owner}/{name}", "repository_owner": owner, "actor": owner}
    if owner_id and repository_id:
        found |= {"repository_owner_id": owner_id, "repository_id": repository_id}
    if where.startswith("ref:"):
        found["ref"] = where.removeprefix("ref:")
    if where.startswith("environment:"):
        found["environment"] = where.removeprefix("environment:")
    return found
