"""Lab 08: what its checks say in each state a learner can be in."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.checks import NotAttempted, NotYet, Passed, apk, run
from tests.checks.alpine import Ecr, Missing
from tests.checks.fakes import world

FILES = Path(__file__).parents[2] / "notebooks" / "files" / "08"
PAGE = "usr/share/nginx/html/index.html"
CURED = "P:libssl3\nV:3.5.8-r0\no:openssl\n\nP:busybox\nV:1.37.0-r31\no:busybox\n\n"
LABELS = {"maintainer": "you@example.com"}
ENTRY = {"id": "CVE-2025-60876", "reason": "no fix yet", "until": "2026-12-01"}


@pytest.fixture(autouse=True)
def in_the_labs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(FILES / "advisories.json", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(apk, "_blob", lambda ecr, repository, digest: ecr.blobs[digest])


def image(database: str = CURED, release: str = "3.24.2", **labels: str) -> Ecr:
    files = {
        "etc/os-release": f"VERSION_ID={release}\n",
        "lib/apk/db/installed": database,
        PAGE: "hello",
    }
    return Ecr(files, labels=labels or LABELS)


def check_image(folder: Path, ecr: Any) -> Any:
    return run("08.1", world(folder, clients={"ecr": ecr}))


def check_accepted(folder: Path, text: str) -> Any:
    (folder / "accepted.json").write_text(text)
    return run("08.2", world(folder))


def test_no_image_is_not_attempted(tmp_path: Path) -> None:
    ecr = image()
    ecr.manifests = {}

    assert isinstance(check_image(tmp_path, ecr), NotAttempted)


def test_no_repository_is_not_attempted(tmp_path: Path) -> None:
    class NoRepository(Ecr):
        def batch_get_image(self, **_: Any) -> dict[str, Any]:
            raise Missing

    assert isinstance(check_image(tmp_path, NoRepository()), NotAttempted)


def test_the_old_base_under_the_new_tag_is_shown(tmp_path: Path) -> None:
    old = image("P:libssl1.1\nV:1.1.1n-r0\no:openssl\n\n", release="3.15.4")

    outcome = check_image(tmp_path, old)

    assert isinstance(outcome, NotYet)
    assert outcome.found == "Alpine 3.15\nCVE-2023-0286 openssl 1.1.1n-r0"


def test_the_bare_base_is_not_the_application(tmp_path: Path) -> None:
    outcome = check_image(tmp_path, image(title="nginx"))

    assert isinstance(outcome, NotYet)
    assert outcome.found == "title"


def test_a_release_without_advisories_does_not_pass_for_clean(tmp_path: Path) -> None:
    outcome = check_image(tmp_path, image(release="3.99.0"))

    assert isinstance(outcome, NotYet)
    assert outcome.found == "Alpine 3.99"


def test_another_system_does_not_pass_for_clean(tmp_path: Path) -> None:
    outcome = check_image(tmp_path, Ecr({"etc/os-release": "VERSION_ID=12\n"}))

    assert isinstance(outcome, NotYet)
    assert outcome.found == "no Alpine packages"


def test_the_cured_image_passes(tmp_path: Path) -> None:
    assert isinstance(check_image(tmp_path, image()), Passed)


def test_nothing_accepted_is_not_attempted(tmp_path: Path) -> None:
    assert isinstance(run("08.2", world(tmp_path)), NotAttempted)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"until": "2036-12-01"}, "2036-12-01"),
        ({"until": "2026-11-02"}, "2026-11-02"),
        ({"reason": " "}, "no reason"),
        ({"id": "CVE-2023-38545"}, "CVE-2023-38545"),
    ],
)
def test_an_entry_that_accepts_too_much_is_shown(
    tmp_path: Path, changed: dict[str, str], found: str
) -> None:
    outcome = check_accepted(tmp_path, json.dumps([{**ENTRY, **changed}]))

    assert isinstance(outcome, NotYet)
    assert outcome.found == found


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", "[1]", '[{"id": "CVE-2025-60876"}]', "null"])
def test_a_file_in_another_form_is_shown(tmp_path: Path, text: str) -> None:
    assert isinstance(check_accepted(tmp_path, text), NotYet)


def test_an_entry_with_reason_and_day_passes(tmp_path: Path) -> None:
    outcome = check_accepted(tmp_path, json.dumps([ENTRY]))

    assert isinstance(outcome, Passed)
    assert "29 days" in outcome.says
