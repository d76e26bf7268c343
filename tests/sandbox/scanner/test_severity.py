"""Base scores of CVSS 3 against published ones, and what a record without one is worth."""

import pytest

from labs_helpers.sandbox.scanner import snapshot
from labs_helpers.sandbox.scanner.severity import base_score, level, of_record


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        # https://www.first.org/cvss/v3.1/examples
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),
        ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 4.2),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:3.1/AV:L/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H", 8.1),
    ],
)
def test_the_score_is_the_published_one(vector: str, score: float) -> None:
    assert base_score(vector) == score


@pytest.mark.parametrize(
    "vector",
    ["", "CVSS:2.0/AV:N", "CVSS:3.1/AV:N", "CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
     "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N", "x" * 1000],
)  # fmt: skip
def test_what_is_no_complete_vector_has_no_score(vector: str) -> None:
    assert base_score(vector) is None


@pytest.mark.parametrize(
    ("score", "name"),
    [(10.0, "CRITICAL"), (9.0, "CRITICAL"), (8.9, "HIGH"), (7.0, "HIGH"), (6.9, "MEDIUM"),
     (4.0, "MEDIUM"), (3.9, "LOW"), (0.1, "LOW"), (0.0, "INFORMATIONAL")],
)  # fmt: skip
def test_a_score_has_its_level(score: float, name: str) -> None:
    assert level(score) == name


def test_a_record_with_nothing_but_cvss_4_keeps_its_sources_word_and_gets_no_score() -> None:
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"
    severity = [{"type": "CVSS_V4", "score": vector}]
    found = of_record({"severity": severity, "database_specific": {"severity": "HIGH"}})
    assert (found.level, found.score, found.vector) == ("HIGH", None, vector)
    assert of_record({"severity": severity}).level == "UNDEFINED"


@pytest.mark.parametrize(
    ("word", "name"),
    [("MODERATE", "MEDIUM"), ("high", "HIGH"), ("", "UNDEFINED"), ("x", "UNDEFINED")],
)
def test_a_word_counts_where_there_is_no_score(word: str, name: str) -> None:
    assert of_record({"database_specific": {"severity": word}}).level == name


def test_every_shipped_severity_is_the_level_of_its_vector() -> None:
    found = snapshot.load().records
    wrong = [
        record.id
        for record in found
        if of_record(record.document).level != record.document["database_specific"]["severity"]
    ]
    only_v4 = [record.id for record in found if "CVSS:4" in of_record(record.document).vector]
    assert wrong == []
    assert len(only_v4) == 9
