"""Lab 08: what its checks say of each state of a scan, which a sandbox cannot be brought to."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.checks import NotAttempted, NotYet, Outcome, Passed, images, run
from labs_helpers.checks.registry import Answer
from labs_helpers.labs.lab08 import release
from tests.gate.answers import Ecr as Answers
from tests.gate.answers import ScanNotFoundException, basic, enhanced
from tests.labs.fakes import world

UNFIXED = ("CVE-2025-60876", "MEDIUM", "busybox", "NotAvailable")
CURL = ("CVE-2023-38545", "CRITICAL", "curl", "0:8.4.0-r0")
PYYAML = ("CVE-2020-14343", "CRITICAL", "pyyaml", "5.4")
NOBODY = ("LABS-NOT-COVERED-left-pad", "INFORMATIONAL", "left-pad", "NotAvailable")
ENTRY = "- id: {id}\n  reason: {reason}\n  expires: {expires}\n"


class Missing(Exception):
    pass


class Ecr(Answers):
    """ECR with one scan, and the tags of myapp (None: there is no such repository)."""

    class exceptions(Answers.exceptions):
        RepositoryNotFoundException = Missing

    def __init__(self, answer: Any, tags: dict[str, str] | None, **more: Any) -> None:
        super().__init__(answer, **more)
        self._tags = tags

    def get_paginator(self, name: str) -> "Ecr":
        assert name == "list_images"
        return self

    def paginate(self, **_: Any) -> Any:
        if self._tags is None:
            raise Missing
        yield {"imageIds": [{"imageTag": tag, "imageDigest": of} for tag, of in self._tags.items()]}


PUSHED = {"1.0.0": "sha256:old", "base": "sha256:base", "1.1.0": "sha256:new"}


HOST = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
PYYAML_FILE = "usr/lib/python3/site-packages/PyYAML-6.0.2.dist-info/METADATA"


def image() -> dict[str, Answer]:
    """What a registry answers for myapp:1.1.0, an image of one layer with the right PyYAML."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(PYYAML_FILE), io.BytesIO())
    digest = f"sha256:{hashlib.sha256(tar.getvalue()).hexdigest()}"
    config = json.dumps({"rootfs": {"diff_ids": [digest]}}).encode()
    manifest = {"config": {"digest": "sha256:config"}, "layers": [{"digest": digest}]}
    return {
        "/v2/myapp/manifests/1.1.0": Answer(200, {}, json.dumps(manifest).encode()),
        "/v2/myapp/blobs/sha256:config": Answer(200, {}, config),
        f"/v2/myapp/blobs/{digest}": Answer(200, {}, tar.getvalue()),
    }


@pytest.fixture(autouse=True)
def in_the_labs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(release, "WAIT", 0.0)
    monkeypatch.setattr(images, "find", lambda name: None)


def fixed(answer: Any, tags: dict[str, str] | None = PUSHED, **more: Any) -> Outcome:
    clients = {"ecr": Ecr(answer, tags, **more)}
    return run("08.1", world(Path(), registries={HOST: image()}, clients=clients))


def accepted(answer: Any, tags: dict[str, str] | None = PUSHED, **entry: str) -> Outcome:
    given = {"id": UNFIXED[0], "reason": "no fix yet", "expires": "2026-12-01", **entry}
    Path("accepted.yaml").write_text(ENTRY.format(**given))
    return run("08.2", world(Path(), clients={"ecr": Ecr(answer, tags)}))


@pytest.mark.parametrize("tags", [None, {}, {"1.0.0": "sha256:old"}])
def test_no_image_is_not_attempted(tags: dict[str, str] | None) -> None:
    assert isinstance(fixed(enhanced(), tags), NotAttempted)


def test_the_bare_base_is_not_the_application() -> None:
    outcome = fixed(enhanced(UNFIXED), {"base": "sha256:base", "1.1.0": "sha256:base"})

    assert isinstance(outcome, NotYet)
    assert outcome.found == "that of myapp:base"


@pytest.mark.parametrize("status", ["PENDING", "UNSUPPORTED_IMAGE", "FAILED"])
def test_a_scan_that_did_not_end_well_does_not_pass_for_clean(status: str) -> None:
    outcome = fixed(enhanced(status=status))

    assert isinstance(outcome, NotYet)
    assert outcome.found == f"status {status}"


def test_an_image_that_nobody_scanned_is_not_clean() -> None:
    outcome = fixed(ScanNotFoundException(), frequency="MANUAL")

    assert isinstance(outcome, NotYet)
    assert outcome.found == "status NONE"
    assert "enhanced" in outcome.suggestion


def test_a_basic_scan_says_nothing_about_the_pin() -> None:
    outcome = fixed(basic())

    assert isinstance(outcome, NotYet)
    assert outcome.found == "a scan of type BASIC"


@pytest.mark.parametrize(
    ("finding", "found", "hint"),
    [
        (CURL, "CVE-2023-38545 curl 1.0-r0, fixed in 8.4.0-r0", "the base is old"),
        (PYYAML, "CVE-2020-14343 pyyaml 1.0-r0, fixed in 5.4", "the pin of PyYAML is old"),
        (NOBODY, "LABS-NOT-COVERED-left-pad left-pad 1.0-r0", "not judged is not clean"),
    ],
)
def test_what_is_left_is_shown(finding: Any, found: str, hint: str) -> None:
    outcome = fixed(enhanced(UNFIXED, finding))

    assert isinstance(outcome, NotYet)
    assert outcome.found == found
    assert hint in outcome.suggestion


def test_a_long_list_of_findings_is_cut() -> None:
    many = [(f"CVE-2026-{number}", "LOW", "curl", "9") for number in range(20)]
    outcome = fixed(enhanced(*many))

    assert isinstance(outcome, NotYet)
    assert outcome.found.endswith("\nand 12 more")


@pytest.mark.parametrize("status", ["COMPLETE", "ACTIVE"])
def test_an_image_with_nothing_that_has_a_fix_passes(status: str) -> None:
    outcome = fixed(enhanced(UNFIXED, status=status))

    assert isinstance(outcome, Passed)
    assert "CVE-2025-60876" in outcome.says


def test_nothing_accepted_is_not_attempted() -> None:
    assert isinstance(run("08.2", world(Path())), NotAttempted)


@pytest.mark.parametrize("text", ["[", "id: 1", "- id: CVE-2025-60876", "[1]"])
def test_a_file_in_another_form_is_shown(text: str) -> None:
    Path("accepted.yaml").write_text(text)
    outcome = run("08.2", world(Path()))

    assert isinstance(outcome, NotYet)
    assert "accepted.yaml" in outcome.found


def test_what_is_accepted_is_held_against_an_image() -> None:
    outcome = accepted(enhanced(UNFIXED), {})

    assert isinstance(outcome, NotYet)
    assert outcome.suggestion == "do Your turn 1 first"


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"expires": "2036-12-01"}, "2036-12-01, 3682 days from today"),
        ({"expires": "2026-11-02"}, "2026-11-02, and today is 2026-11-02"),
        ({"expires": "2026-11-01"}, "2026-11-01, and today is 2026-11-02"),
        ({"reason": "..."}, "..."),
        ({"reason": "todo"}, "todo"),
        ({"id": CURL[0]}, "CVE-2023-38545, which has a fix"),
        ({"id": "CVE-1999-1"}, "CVE-1999-1, which the image has not"),
    ],
)
def test_an_entry_that_accepts_too_much_is_shown(entry: dict[str, str], found: str) -> None:
    outcome = accepted(enhanced(UNFIXED, CURL), **entry)

    assert isinstance(outcome, NotYet)
    assert outcome.found == found


def test_a_day_in_the_past_and_a_day_too_far_away_are_two_things_to_think_about() -> None:
    past = accepted(enhanced(UNFIXED), expires="2026-10-01")
    far = accepted(enhanced(UNFIXED), expires="2027-10-01")

    assert isinstance(past, NotYet)
    assert isinstance(far, NotYet)
    assert "which day comes after today?" in past.suggestion
    assert "never looks again" in far.suggestion


def test_a_gate_that_still_stops_is_shown() -> None:
    Path("accepted.yaml").write_text("")
    outcome = run("08.2", world(Path(), clients={"ecr": Ecr(enhanced(UNFIXED), PUSHED)}))

    assert isinstance(outcome, NotYet)
    assert outcome.found == "myapp:1.1.0 does not pass: 1 MEDIUM at or above MEDIUM"


def test_an_entry_with_reason_and_day_passes() -> None:
    outcome = accepted(enhanced(UNFIXED))

    assert isinstance(outcome, Passed)
    assert outcome.says.startswith("myapp:1.1.0 passes")
