"""The file of accepted risks: which entries are valid; a file with a fault accepts nothing."""

from datetime import date
from pathlib import Path

import pytest

from labs_helpers.gate.accepted_risks import AcceptedRisk, AcceptedRisksError, load

ENTRY = "- id: CVE-1\n  reason: never called\n  expires: 2026-12-31\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "accepted.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        ENTRY,
        '[{"id": "CVE-1", "reason": "never called", "expires": "2026-12-31"}]',
        ENTRY.replace("2026-12-31", "2026-12-31T10:00:00Z"),
    ],
)
def test_yaml_and_json_are_read(tmp_path: Path, text: str) -> None:
    assert load(written(tmp_path, text)) == (
        AcceptedRisk("CVE-1", "never called", date(2026, 12, 31)),
    )


def test_an_empty_file_accepts_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# nothing yet\n")) == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("id: CVE-1\n", "must be a list"),
        ("- CVE-1\n", "must have the fields"),
        ("- reason: x\n  expires: 2026-12-31\n", "no id"),
        ("- id: CVE-1\n  expires: 2026-12-31\n", "no reason"),
        ("- id: CVE-1\n  reason: ' '\n  expires: 2026-12-31\n", "no reason"),
        ("- id: CVE-1\n  reason: x\n", "expires"),
        ("- id: CVE-1\n  reason: x\n  expires: never\n", "expires"),
        (ENTRY + "  until: 2026-12-31\n", "has until"),
        (ENTRY + ENTRY, "twice"),
        ("- {", "cannot be read"),
        ("!!python/object:os.system x", "cannot be read"),
    ],
)
def test_a_faulty_file_accepts_nothing(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(AcceptedRisksError, match=fault):
        load(written(tmp_path, text))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(AcceptedRisksError, match="no file"):
        load(tmp_path / "none")
