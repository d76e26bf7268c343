"""docs/sources.md has every external link of a lab, and a warning for what grows old."""

from datetime import date, timedelta

import pytest

from labs_helpers.curriculum import LABS
from tests.labs import sources
from tests.labs.sources import Row

EVERY = sources.rows(sources.TABLE.read_text("utf-8"))
DAY = date(2026, 11, 28)


@pytest.mark.parametrize("number", LABS)
def test_every_link_of_a_lab_has_a_row_and_every_row_a_link(number: str) -> None:
    assert {row.url for row in EVERY if row.lab == number} == sources.links(number)


def test_every_row_is_of_a_lab() -> None:
    assert {row.lab for row in EVERY} <= set(LABS)


def test_a_claim_stands_once() -> None:
    seen = [(row.lab, row.url, row.claim) for row in EVERY]
    assert len(set(seen)) == len(seen)


def test_a_row_is_old_after_a_year_and_not_before() -> None:
    row = Row("claim", "01", "https://example.com", DAY)
    assert sources.old([row], DAY + timedelta(days=365)) == []
    assert sources.old([row], DAY + timedelta(days=366)) == [row]


def test_an_old_row_is_named_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sources, "rows", lambda text: [Row("a claim", "01", "https://x.y", date.min)]
    )
    assert sources.main() == 0
    assert "lab 01  https://x.y" in capsys.readouterr().out


def test_a_line_that_is_no_row_is_named() -> None:
    table = "| claim | lab | source | looked up |\n|---|---|---|---|\n| a | 01 | no link | 2026 |\n"
    with pytest.raises(ValueError, match="no link"):
        sources.rows(table)
