"""The registry that a Host header names, and the principal that a token belongs to.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
"""

from __future__ import annotations

import re

from labs_helpers import defaults
from labs_helpers.oci import headers
from labs_helpers.sandbox.ecr import errors, tokens
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Principal


def registry_of(host: str, default: Registry) -> Registry:
    """The registry that a Host header names, with or without a port; else `default`."""
    name = host.rpartition(":")[0] if re.search(r":\d*$", host) else host
    found = defaults.registry_of(name.rstrip("."))
    return Registry(*found) if found else default


def password_of(authorization: str | None) -> str | None:
    """The token in `Basic base64(AWS:token)`, `Bearer base64(AWS:token)` or `Bearer token`.

    None for any other header.
    """
    scheme, _, credentials = (authorization or "").strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() not in ("basic", "bearer"):
        return None
    user, password = headers.user_and_password(credentials) or ("", "")
    if user == tokens.USER:
        return password
    return credentials or None if scheme.lower() == "bearer" else None


def authenticate(store: Store, authorization: str | None, registry: Registry) -> Principal:
    """The principal that sent the request; raises NoCredentials, InvalidToken or TokenExpired.

    Any password that ECR did not make is an invalid token, with status 400:
    https://github.com/TritonDataCenter/node-docker-registry-client/blob/master/lib/registry-client-v2.js
    """
    password = password_of(authorization)
    if password is None:
        raise errors.NoCredentials()
    return tokens.verify(store, password, registry)
