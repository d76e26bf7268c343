"""Who is at the door: the registry a Host header names, the principal of a token.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
"""

from __future__ import annotations

import base64
import binascii
import re

from labs_helpers.sandbox.ecr import errors, tokens
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Principal

_HOST = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)"
    r"\.(?:amazonaws\.com|on\.aws)",
    re.ASCII,
)


def registry_of(host: str, default: Registry) -> Registry:
    """The registry a Host header names, with or without a port; else the learner's own."""
    name = host.rpartition(":")[0] if re.search(r":\d*$", host) else host
    match = _HOST.fullmatch(name.lower().rstrip("."))
    return Registry(match["account"], match["region"]) if match else default


def password_of(authorization: str | None) -> str | None:
    """The token in `Basic base64(AWS:token)` or `Bearer token`; None when there is neither."""
    scheme, _, credentials = (authorization or "").strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        return _without_user(credentials) or credentials or None
    if scheme.lower() != "basic":
        return None
    return _without_user(credentials)


def _without_user(encoded: str) -> str | None:
    """The password of base64 `AWS:password`; clients also send that whole as a bearer token."""
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
        return password.decode() if colon and user == tokens.USER.encode() else None
    except (binascii.Error, ValueError):
        return None


def authenticate(store: Store, authorization: str | None, registry: Registry) -> Principal:
    """Whose request this is; raises InvalidToken or TokenExpired."""
    password = password_of(authorization)
    if password is None:
        raise errors.InvalidToken()
    return tokens.verify(store, password, registry)
