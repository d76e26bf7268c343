"""Range headers of a blob request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.sandbox.hub import ranges


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-5", (2, 6)),
        ("bytes=7-", (7, 10)),
        ("bytes=7-99", (7, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("items=0-1", None),
        ("bytes=0-1,3-4", None),
    ],
)
def test_a_range_of_ten_bytes(header: str, wanted: tuple[int, int] | None) -> None:
    assert ranges.parse(header, 10) == wanted


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_a_range_with_nothing_in_it_is_unsatisfiable(header: str) -> None:
    with pytest.raises(ranges.Unsatisfiable):
        ranges.parse(header, 10)


@given(st.one_of(st.text(max_size=30), st.from_regex(r"bytes=\d*-\d*")), st.integers(0, 50))
def test_a_range_stays_within_the_content(header: str, size: int) -> None:
    try:
        part = ranges.parse(header, size)
    except ranges.Unsatisfiable:
        return
    assert part is None or 0 <= part[0] < part[1] <= size
