"""`labs advisories`: what is known, and taking in more."""

import json
import re
from pathlib import Path

import pytest

from labs_helpers.cli.main import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def export(folder: Path) -> Path:
    record = {
        "id": "CVE-2026-1",
        "modified": "2026-12-24T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "Alpine:v3.24", "name": "redis"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
            }
        ],
    }
    path = folder / "export.json"
    path.write_text(json.dumps(record))
    return path


def test_it_shows_date_counts_and_coverage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advisories"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^retrieved +2026-11-25$", told, re.MULTILINE)
    assert re.search(r"^records +185$", told, re.MULTILINE)
    assert re.search(r"^Alpine:v3.24 +80 +23$", told, re.MULTILINE)
    assert "No finding means: no finding in these records." in told


def test_it_names_every_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advisories", "--coverage"]) == 0
    names = "certifi, flask, idna, jinja2, pyyaml, requests, urllib3, werkzeug"
    assert f"PyPI: {names}" in capsys.readouterr().out


def test_it_imports_and_forgets(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["advisories", "import", str(export(tmp_path)), "--complete", "Alpine:v3.24"]
    assert main(asked) == 0
    told = capsys.readouterr().out
    assert "1 record imported." in told
    assert re.search(r"^records +186, 1 of them imported$", told, re.MULTILINE)
    assert re.search(r"^Alpine:v3.24 +81 +all$", told, re.MULTILINE)
    assert (home / "advisories" / "imported.json").exists()
    assert main(["advisories", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["retrieved"], facts["imported"]) == ("2026-12-24", 1)
    assert main(["advisories", "forget"]) == 0
    assert not (home / "advisories" / "imported.json").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["import"], "Which file?"),
        (["import", "/nowhere"], "no OSV export"),
        (["forget", "x"], "takes no file"),
    ],
)
def test_it_says_what_is_wrong(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["advisories", *arguments]) == 1
    assert told in capsys.readouterr().err


def test_a_damaged_import_names_its_mending(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "advisories").mkdir(parents=True)
    (home / "advisories" / "imported.json").write_text("{")
    for arguments in ([], ["import", str(export(home))]):
        assert main(["advisories", *arguments]) == 1
        assert "labs advisories forget" in capsys.readouterr().err
    assert main(["advisories", "forget"]) == 0


def test_a_notebook_that_asks_for_colour_gets_plain_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as every Jupyter kernel sets it
    assert main(["advisories"]) == 0
    assert "\x1b" not in capsys.readouterr().out
