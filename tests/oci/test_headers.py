"""Headers of a blob request: which bytes a client asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.oci import headers


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=2-5", (2, 5)),
        ("bytes=7-", (7, 9)),
        ("bytes=7-99", (7, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-99", (0, 9)),
        ("", None),
        ("bytes=-", None),
        ("items=0-1", None),
        ("bytes=0-1,3-4", None),
    ],
)
def test_a_range_of_ten_bytes(header: str, wanted: tuple[int, int] | None) -> None:
    assert headers.requested_range(header, 10) == wanted


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=5-2"])
def test_a_range_with_nothing_in_it_is_unsatisfiable(header: str) -> None:
    with pytest.raises(headers.Unsatisfiable):
        headers.requested_range(header, 10)


@given(
    st.one_of(st.text(max_size=30), st.from_regex(r"bytes=\d*-\d*")),
    st.one_of(st.integers(0, 50), st.integers(0, 2**40)),
)
def test_a_range_stays_within_the_content(header: str, size: int) -> None:
    try:
        part = headers.requested_range(header, size)
    except headers.Unsatisfiable:
        return
    assert part is None or 0 <= part[0] <= part[1] < size


@pytest.mark.parametrize(
    ("header", "unmodified"),
    [
        ('"sha256:ab"', True),
        ('"other", W/"sha256:ab"', True),
        ("*", True),
        ('"other"', False),
        ("", False),
        (None, False),
    ],
)
def test_an_etag_is_the_digest_in_quotes(header: str | None, unmodified: bool) -> None:
    assert headers.is_unmodified(header, "sha256:ab") is unmodified


@pytest.mark.parametrize(
    ("encoded", "pair"),
    [
        ("QVdTOnNlY3JldA==", ("AWS", "secret")),
        ("QVdTOmE6Yg==", ("AWS", "a:b")),
        ("QVdT", None),
        ("no base64", None),
        ("/w==", None),
        ("ü", None),
    ],
)
def test_a_user_and_a_password_are_read_from_base_64(
    encoded: str, pair: tuple[str, str] | None
) -> None:
    assert headers.user_and_password(encoded) == pair
