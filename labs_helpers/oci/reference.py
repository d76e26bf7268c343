"""Image references, read as Docker reads them: `nginx` is `docker.io/library/nginx:latest`.

Grammar: https://github.com/distribution/reference/blob/main/reference.go and normalize.go
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from labs_helpers.oci import digest as digests

DEFAULT_DOMAIN = "docker.io"
OFFICIAL = "library"
DEFAULT_TAG = "latest"
NAME_LENGTH = 255

_LEGACY_DOMAIN = "index.docker.io"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?", re.ASCII)
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}", re.ASCII)


class InvalidReference(ValueError):
    """The text is not an image reference; the message is Docker's."""


@dataclass(frozen=True)
class Reference:
    """A normalised reference: `domain/path[:tag][@digest]`."""

    domain: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """The reference without tag and digest: `docker.io/library/nginx`."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar(self) -> str:
        """The short form that people type: `nginx:alpine` for `docker.io/library/nginx:alpine`."""
        return self.familiar_name + self._suffix()

    @property
    def familiar_name(self) -> str:
        """The familiar form without tag and digest."""
        if self.domain != DEFAULT_DOMAIN:
            return self.name
        official, _, rest = self.path.partition("/")
        return rest if official == OFFICIAL and rest and "/" not in rest else self.path

    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag

    def __str__(self) -> str:
        return self.name + self._suffix()


def is_tag(text: str) -> bool:
    """Whether `text` is a valid tag: up to 128 characters, the first a word character."""
    return _TAG.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Whether `text` is a valid repository name in the distribution grammar, of any length."""
    return _PATH.fullmatch(text) is not None


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    looks_like_host = "." in first or ":" in first or first == "localhost" or first != first.lower()
    if not slash or not looks_like_host:
        domain, path = DEFAULT_DOMAIN, name
    else:
        domain, path = first, rest
    if domain == _LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = f"{OFFICIAL}/{path}"
    return domain, path


def parse(text: str, default_tag: bool = True) -> Reference:
    """Read a reference as `docker` does; raises InvalidReference with Docker's message.

    A reference with neither tag nor digest gets `latest` unless `default_tag` is false.
    """
    if _IDENTIFIER.fullmatch(text):
        raise InvalidReference(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    rest, at, digest = text.partition("@")
    if at:
        try:
            digests.parse(digest)
        except digests.DigestError as error:
            raise InvalidReference("invalid reference format") from error
    last_slash = rest.rfind("/")
    colon = rest.find(":", last_slash + 1)
    tag: str | None = None
    if colon >= 0:
        rest, tag = rest[:colon], rest[colon + 1 :]
        if not is_tag(tag):
            raise InvalidReference("invalid reference format")
    domain, path = _split_domain(rest)
    if not _DOMAIN.fullmatch(domain):
        raise InvalidReference("invalid reference format")
    if not _PATH.fullmatch(path):
        if _PATH.fullmatch(path.lower()):
            raise InvalidReference(
                "invalid reference format: repository name"
                f" ({path.removeprefix('library/')}) must be lowercase"
            )
        raise InvalidReference("invalid reference format")
    if len(path) > NAME_LENGTH:
        raise InvalidReference(f"repository name must not be more than {NAME_LENGTH} characters")
    if tag is None and not digest and default_tag:
        tag = DEFAULT_TAG
    return Reference(domain, path, tag, digest or None)
