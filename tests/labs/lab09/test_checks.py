"""Lab 09: what its checks say in each state a learner can be in."""

import json
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.checks import NotAttempted, NotYet, Outcome, Passed, run
from tests.labs.fakes import world

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/demo-app-repo"
OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


class Ecr:
    """The tags of one repository, by digest."""

    def __init__(self, tags: dict[str, str]) -> None:
        self._tags = tags

    def get_paginator(self, name: str) -> "Ecr":
        assert name == "list_images"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [
            {"imageIds": [{"imageTag": tag, "imageDigest": of} for tag, of in self._tags.items()]}
        ]


def outcome(number: str, folder: Path, **tags: str) -> Outcome:
    named = {name.removeprefix("_"): digest for name, digest in tags.items()}
    return run(number, world(folder, clients={"ecr": Ecr(named)}))


@pytest.fixture(autouse=True)
def in_the_labs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def record(uri: str) -> None:
    Path("artifacts").mkdir()
    Path("artifacts/imagedefinitions.json").write_text(
        json.dumps([{"name": "web", "imageUri": uri}])
    )


def test_latest_only_is_not_attempted(tmp_path: Path) -> None:
    record(f"{IMAGE}:latest")
    assert isinstance(outcome("09.1", tmp_path, latest=OLD), NotAttempted)


@pytest.mark.parametrize(
    ("uri", "hint"),
    [
        (f"{IMAGE}:9b1d4e7", "a tag can move"),
        (f"{IMAGE}@", "after the push"),
        (f"{IMAGE}@{OLD}", "another image"),
    ],
)
def test_a_record_that_pins_nothing_or_another_image_is_shown(
    tmp_path: Path, uri: str, hint: str
) -> None:
    record(uri)
    found = outcome("09.1", tmp_path, _9b1d4e7=NEW)
    assert isinstance(found, NotYet)
    assert found.wanted == f"{IMAGE}@{NEW}"
    assert hint in found.suggestion


def test_the_commits_digest_in_the_record_passes(tmp_path: Path) -> None:
    record(f"{IMAGE}@{NEW}")
    assert isinstance(outcome("09.1", tmp_path, _9b1d4e7=NEW), Passed)


def test_a_release_that_was_not_taken_back_is_not_attempted(tmp_path: Path) -> None:
    found = outcome("09.2", tmp_path, _4f2a91c=OLD, e07b3d5=NEW, production=NEW)
    assert isinstance(found, NotAttempted)


def test_an_image_built_anew_is_no_rollback(tmp_path: Path) -> None:
    anew = "sha256:" + "c" * 64
    found = outcome("09.2", tmp_path, _4f2a91c=OLD, e07b3d5=NEW, production=anew)
    assert isinstance(found, NotYet)
    assert "do not build" in found.suggestion


def test_the_bad_image_is_kept(tmp_path: Path) -> None:
    assert isinstance(outcome("09.2", tmp_path, _4f2a91c=OLD, production=OLD), NotYet)


def test_the_image_that_worked_is_live_again(tmp_path: Path) -> None:
    found = outcome("09.2", tmp_path, _4f2a91c=OLD, e07b3d5=NEW, production=OLD)
    assert isinstance(found, Passed)
