"""The files of lab 09 that say something else on AWS differ in that, and in nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.labs.delivery import buildspec
from labs_helpers.labs.delivery.buildspec import Spec
from labs_helpers.labs.delivery.names import ON_AWS, SOURCE_REPOSITORY
from labs_helpers.prepare import Place, files
from labs_helpers.workspace import Workspace

HERE = Path(__file__).parents[2] / "notebooks" / "files" / "09"
GATE = (ON_AWS / "gate.yml").read_text("utf-8")


def both(name: str) -> tuple[Any, Any]:
    return tuple(json.loads((folder / name).read_text("utf-8")) for folder in (HERE, ON_AWS))  # type: ignore[return-value]


def test_the_pipeline_has_another_source_and_the_same_stages() -> None:
    here, there = both("pipeline.json")
    (source,) = there["stages"][0]["actions"]
    assert source["actionTypeId"]["provider"] == "CodeCommit"
    assert source["configuration"] == {
        "RepositoryName": SOURCE_REPOSITORY,
        "BranchName": "main",
        "PollForSourceChanges": "true",
    }
    assert source["outputArtifacts"] == here["stages"][0]["actions"][0]["outputArtifacts"]
    here["stages"][0], there["stages"][0] = {}, {}
    assert there == here


def test_the_pipeline_s_role_may_fetch_from_codecommit_and_the_rest_as_here() -> None:
    here, there = both("pipeline-policy.json")
    fetch = there["Statement"][0]
    assert fetch["Sid"] == "FetchTheCommit"
    assert {one.partition(":")[0] for one in fetch["Action"]} == {"codecommit"}
    assert fetch["Resource"].endswith(f":{SOURCE_REPOSITORY}")
    assert there["Statement"][1:] == here["Statement"][1:]


def test_the_gate_on_aws_is_a_gate() -> None:
    found = buildspec.load(GATE.encode())
    assert isinstance(found, Spec)
    assert found.gates


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('test "$CRITICAL" = None', 'test "$CRITICAL" = None || true'),
        ('test "$CRITICAL" = None', "true"),
        ("describe-image-scan-findings", "describe-images"),
    ],
)
def test_a_gate_on_aws_that_stops_nothing_is_none(old: str, new: str) -> None:
    assert old in GATE
    found = buildspec.load(GATE.replace(old, new).encode())
    assert isinstance(found, Spec)
    assert not found.gates


@pytest.mark.parametrize(("mode", "folder"), [("sandbox", HERE), ("aws", ON_AWS)])
def test_each_mode_gets_its_own(mode: str, folder: Path, tmp_path: Path) -> None:
    place = Place(Workspace(tmp_path), mode, "444455556666", "eu-central-1")
    for file in sorted(ON_AWS.iterdir()):
        assert files.other_on_aws(place, HERE / file.name, ON_AWS) == folder / file.name


def test_what_has_no_other_file_on_aws_is_the_same_there(tmp_path: Path) -> None:
    place = Place(Workspace(tmp_path), "aws", "444455556666", "eu-central-1")
    assert files.other_on_aws(place, HERE / "page.sh", ON_AWS) == HERE / "page.sh"
