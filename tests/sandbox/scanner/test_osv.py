"""Ranges of OSV records against versions of each ecosystem, and records that are none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.sandbox.scanner.osv import InvalidRecord, Verdict, judge, read
from labs_helpers.sandbox.scanner.versions import Uncomparable, version


def record(ecosystem: str, *ranges: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    return {
        "id": "CVE-2026-0001",
        "affected": [
            {
                "package": {"ecosystem": ecosystem, "name": "x"},
                "ranges": [{"type": "ECOSYSTEM", "events": events} for events in ranges],
                **more,
            }
        ],
    }


def verdict(installed: str, ecosystem: str, *ranges: list[dict[str, str]], **more: Any) -> Verdict:
    found = read(record(ecosystem, *ranges, **more))
    assert found is not None
    return judge(found.affected[0], installed)


FIXED = [{"introduced": "0"}, {"fixed": "1.2.12-r0"}]


@pytest.mark.parametrize(
    ("installed", "affected"),
    [("1.2.11-r9", True), ("1.2.12-r0", False), ("1.2.12-r1", False), ("1.10.0-r0", False),
     ("1.2.2_pre2-r0", True), ("1.2.12_rc1-r0", True), ("1.2.12_p1-r0", False)],
)  # fmt: skip
def test_alpine(installed: str, affected: bool) -> None:
    assert verdict(installed, "Alpine:v3.15", FIXED).affected is affected


@pytest.mark.parametrize(
    ("installed", "affected"),
    [("1:1.2.13.dfsg-1", True), ("1:1.2.13.dfsg-1+deb12u1", False), ("9.9", True),
     ("1:1.2.13.dfsg-1~bpo1", True), ("2:0.1", False)],
)  # fmt: skip
def test_debian(installed: str, affected: bool) -> None:
    events = [{"introduced": "0"}, {"fixed": "1:1.2.13.dfsg-1+deb12u1"}]
    assert verdict(installed, "Debian:12", events).affected is affected


@pytest.mark.parametrize(
    ("installed", "affected"),
    [("2.2.2", True), ("2.2.5", False), ("2.3.0", True), ("2.3.2", False), ("3.0", False),
     ("2.3.0rc1", False), ("2.3.2.dev1", True), ("2.2.5.post1", False)],
)  # fmt: skip
def test_python_with_two_ranges_in_one(installed: str, affected: bool) -> None:
    events = [{"introduced": "0"}, {"fixed": "2.2.5"}, {"introduced": "2.3.0"}, {"fixed": "2.3.2"}]
    assert verdict(installed, "PyPI", events).affected is affected


def test_the_fix_is_the_next_one_of_its_own_line() -> None:
    events = [{"introduced": "0"}, {"fixed": "2.2.5"}, {"introduced": "2.3.0"}, {"fixed": "2.3.2"}]
    assert verdict("2.2.2", "PyPI", events).fixed == "2.2.5"
    assert verdict("2.3.1", "PyPI", events).fixed == "2.3.2"


def test_events_may_come_in_any_order() -> None:
    events = [{"fixed": "2.3.2"}, {"introduced": "2.3.0"}, {"fixed": "2.2.5"}, {"introduced": "0"}]
    assert verdict("2.2.2", "PyPI", events) == Verdict(True, "2.2.5")
    assert verdict("2.2.9", "PyPI", events) == Verdict(False)


def test_without_a_fix_every_later_version_is_affected() -> None:
    assert verdict("9.9-r0", "Alpine:v3.24", [{"introduced": "0"}]) == Verdict(True, "")


def test_the_last_affected_version_is_affected() -> None:
    events = [{"introduced": "1.0"}, {"last_affected": "1.5"}]
    assert [verdict(one, "PyPI", events).affected for one in ("0.9", "1.0", "1.5", "1.6")] == [
        False,
        True,
        True,
        False,
    ]


def test_a_listed_version_is_affected_outside_every_range() -> None:
    assert verdict("7.0", "PyPI", [{"introduced": "0"}, {"fixed": "1"}], versions=["7.0"]).affected


def test_alpine_versions_are_not_compared_as_text() -> None:
    """univers 32.0.1 answers 8.4.0-r0 <= 8.22.0-r0 with no."""
    assert version("Alpine:v3.24", "8.4.0-r0") <= version("Alpine:v3.24", "8.22.0-r0")
    assert version("Alpine:v3.24", "8.22.0-r0") >= version("Alpine:v3.24", "8.4.0-r0")


@pytest.mark.parametrize(
    ("ecosystem", "text"),
    [("Alpine:v3.15", "1.2_git2020-r0"), ("PyPI", "not a version"), ("npm", "1.0.0"), ("PyPI", ""),
     ("Debian:12", "1_2"), ("PyPI", "1" * 300)],
)  # fmt: skip
def test_what_has_no_place_is_never_newer(ecosystem: str, text: str) -> None:
    with pytest.raises(Uncomparable):
        version(ecosystem, text)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"id": ""},
        {"id": "X", "affected": {}},
        {"id": "X", "aliases": "CVE"},
        {"id": "X", "affected": [{"package": {"name": "x"}}]},
        {"id": "X", "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "ranges": [{}]}]},
        record("PyPI", [{"fixed": "1"}]),
        record("PyPI", [{"introduced": "0", "fixed": "1"}]),
        record("PyPI", [{"introduced": 0}]),
        record("PyPI", [{"introduced": "0"}, {"mended": "1"}]),
        record("PyPI", versions="1"),
    ],
)
def test_what_is_no_record_is_refused(document: Any) -> None:
    with pytest.raises(InvalidRecord):
        read(document)


def test_a_withdrawn_record_says_nothing() -> None:
    assert read({**record("PyPI", [{"introduced": "0"}]), "withdrawn": "2026-01-01"}) is None


def test_a_python_project_is_known_by_its_normalised_name() -> None:
    document = record("PyPI", [{"introduced": "0"}])
    document["affected"][0]["package"]["name"] = "Flask_CORS"
    found = read(document)
    assert found is not None
    assert found.affected[0].name == "flask-cors"


def test_ranges_of_commits_are_left_out() -> None:
    document = record("PyPI")
    document["affected"][0]["ranges"] = [{"type": "GIT", "events": [{"introduced": "0"}]}]
    found = read(document)
    assert found is not None
    assert found.affected[0].ranges == ()


RELEASES = st.integers(0, 6).map(lambda number: f"{number}.0")
EVENTS = st.lists(
    st.tuples(st.sampled_from(["introduced", "fixed", "last_affected"]), RELEASES),
    min_size=1,
    max_size=6,
    unique_by=lambda event: event[1],
)


@given(events=EVENTS, installed=RELEASES)
def test_ranges_are_judged_as_the_specification_says(
    events: list[tuple[str, str]], installed: str
) -> None:
    """The pseudo-code of https://ossf.github.io/osv-schema/#evaluation, on versions of one part."""
    events = [("introduced", "0"), *events]
    vulnerable = False
    here = float(installed)
    for kind, text in sorted(events, key=lambda event: float(event[1])):
        at = float(text)
        if kind == "introduced" and here >= at:
            vulnerable = True
        elif (kind == "fixed" and here >= at) or (kind == "last_affected" and here > at):
            vulnerable = False
    found = verdict(installed, "PyPI", [{kind: text} for kind, text in events])
    assert found.affected is vulnerable
    if found.fixed:
        assert float(found.fixed) > here
