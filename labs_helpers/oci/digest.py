"""Content digests, `algorithm:hex`.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_FORM = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+", re.ASCII)
_HEX = re.compile(r"[a-f0-9]+", re.ASCII)
_HEX_LENGTH = {"sha256": 64, "sha512": 128}


class DigestError(ValueError):
    """The text is not a digest, or its algorithm is not supported."""


@dataclass(frozen=True)
class Digest:
    """A parsed digest; its `str()` is `sha256:<hex>`."""

    algorithm: str
    hex: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def parse(text: str) -> Digest:
    """Read `sha256:<64 hex>` or `sha512:<128 hex>`; raises DigestError, which names the fault."""
    if not _FORM.fullmatch(text):
        raise DigestError(f"{text!r} is not a digest: expected algorithm:hex")
    algorithm, _, encoded = text.partition(":")
    length = _HEX_LENGTH.get(algorithm)
    if length is None:
        raise DigestError(f"digest algorithm {algorithm!r} is not supported")
    if len(encoded) != length or not _HEX.fullmatch(encoded):
        raise DigestError(f"{text!r}: a {algorithm} digest has {length} lower-case hex digits")
    return Digest(algorithm, encoded)


def of_bytes(data: bytes, algorithm: str = "sha256") -> str:
    """The digest of `data`, such as `sha256:<hex>`."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def layout_path(digest: str) -> str:
    """The path of a blob in an image layout: `blobs/sha256/<hex>`.

    https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#blobs
    """
    return f"blobs/{digest.replace(':', '/', 1)}"
