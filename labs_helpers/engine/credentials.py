"""Credentials that clients send to the engine, and the challenges of registries.

Sources: https://docs.docker.com/reference/api/engine/#section/Authentication (X-Registry-Auth),
https://distribution.github.io/distribution/spec/auth/token/ (Bearer), RFC 9110 section 11.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import BadRequest


@dataclass(frozen=True)
class Credentials:
    """The login for a registry from ``docker login``; every field may be empty."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)
    server: str = ""

    @property
    def basic(self) -> str | None:
        """The value of a Basic Authorization header; None without a name and a password."""
        if not self.username or not self.password:
            return None
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def from_json(document: Any) -> Credentials:
    """Read Docker's AuthConfig object. Raises BadRequest when it is malformed."""
    if not isinstance(document, dict):
        raise BadRequest("invalid X-Registry-Auth header: not a JSON object")

    def text(key: str) -> str:
        value = document.get(key)
        if value is not None and not isinstance(value, str):
            raise BadRequest(f"invalid X-Registry-Auth header: {key} is not a string")
        return value or ""

    username, password = text("username"), text("password")
    if text("auth") and not username:
        try:
            decoded = base64.b64decode(text("auth"), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise BadRequest("invalid X-Registry-Auth header: auth is not base64") from error
        username, _, password = decoded.partition(":")
    return Credentials(
        username, password, text("identitytoken"), text("registrytoken"), text("serveraddress")
    )


def from_header(value: str | None) -> Credentials:
    """Read an X-Registry-Auth header (base64url JSON), which may be absent. Raises BadRequest."""
    if not value:
        return Credentials()
    return from_json(decode_header(value, "X-Registry-Auth"))


def from_config_header(value: str | None) -> dict[str, Credentials]:
    """Read the X-Registry-Config header of a build: credentials by registry. Raises BadRequest."""
    if not value:
        return {}
    document = decode_header(value, "X-Registry-Config")
    if not isinstance(document, dict):
        raise BadRequest("invalid X-Registry-Config header: not a JSON object")
    return {str(server): from_json(entry) for server, entry in document.items()}


def decode_header(value: str, header: str) -> Any:
    """Decode a header that is base64 of JSON, in either alphabet. Raises BadRequest."""
    padded = value.strip() + "=" * (-len(value.strip()) % 4)
    try:
        # the Docker SDK and the docker command use different alphabets
        data = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
        return json.loads(data)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadRequest(f"invalid {header} header: {error}") from error


@dataclass(frozen=True)
class Challenge:
    """One WWW-Authenticate challenge; the scheme is in lower case."""

    scheme: str
    parameters: Mapping[str, str]


_CHALLENGE = re.compile(r"\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*(.*)", re.DOTALL)
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))')


def challenges(headers: list[str]) -> list[Challenge]:
    """Read WWW-Authenticate headers; registries send one challenge per header."""
    found = []
    for header in headers:
        match = _CHALLENGE.fullmatch(header)
        if match:
            parameters = {
                name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare
                for name, quoted, bare in _PARAMETER.findall(match[2])
            }
            found.append(Challenge(match[1].lower(), parameters))
    return found
