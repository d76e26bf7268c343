"""Digests are parsed strictly: an invalid digest must never become a path on disk."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.oci import digest


@given(st.binary())
def test_the_digest_of_bytes_reads_back(data: bytes) -> None:
    parsed = digest.parse(digest.of_bytes(data))
    assert (parsed.algorithm, parsed.hex) == ("sha256", hashlib.sha256(data).hexdigest())
    assert str(parsed) == digest.of_bytes(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        "sha256:abc",
        "md5:" + "a" * 32,
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 64 + "\n",
        "sha256:../" + "a" * 61,
        "SHA256:" + "a" * 64,
        "sha256:" + "٣" * 64,
    ],
)
def test_what_is_not_a_digest_is_refused(text: str) -> None:
    with pytest.raises(digest.DigestError):
        digest.parse(text)


@given(st.text())
def test_any_text_is_either_a_digest_or_refused(text: str) -> None:
    try:
        parsed = digest.parse(text)
    except digest.DigestError:
        return
    assert str(parsed) == text
