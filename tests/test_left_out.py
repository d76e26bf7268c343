"""A cell of a lab that fails says which earlier cell was left out, or what is gone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers import catch_up, left_out
from labs_helpers.curriculum import LABS
from labs_helpers.errors import LabError
from labs_helpers.lab import Lab
from labs_helpers.left_out import Cell
from labs_helpers.prepare import beginning
from tests.labs.desk import PROJECT, Desk, desk

AWS = """#!/bin/sh
# as aws does with a file that is not there; every other command works, and says little
for word in "$@"; do
  case $word in file://*)
    [ -e "${word#file://}" ] || { echo "Unable to load paramfile $word" >&2; exit 252; } ;;
  esac
done
case "$*" in *'describe-services'*) ;; *) echo said ;; esac
"""


def of_lab(number: str) -> list[Cell]:
    notebook = PROJECT / "notebooks" / LABS[number].notebook
    return left_out.cells_of_the_lab(notebook, PROJECT / "notebooks" / "files" / number)


def needing() -> Iterator[tuple[str, str, str]]:
    """(lab, cell, file) for each shell cell that hands aws a file which an earlier cell writes."""
    for number in LABS:
        cells = of_lab(number)
        for place, cell in enumerate(cells):
            written = {name for one in cells[:place] for name in one.writes}
            for name in cell.names:
                if name in written and name not in cell.writes and f"file://{name}" in cell.source:
                    yield number, cell.id, name


NEEDING = list(needing())


def test_labs_10_and_12_have_such_cells() -> None:
    assert {number for number, _, _ in NEEDING} == {"10", "12"}
    assert {name for _, cell, name in NEEDING if cell == "12-92"} == {
        "my-network.json",
        "my-front.json",
    }


@pytest.mark.parametrize(("number", "cell", "missing"), NEEDING)
def test_a_cell_without_its_file_fails_and_names_the_cell_that_writes_it(
    number: str, cell: str, missing: str, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    for name, text in (("aws", AWS), ("sleep", "#!/bin/sh\n"), ("curl", "#!/bin/sh\n")):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    cells = of_lab(number)
    (this,) = [one for one in cells if one.id == cell]
    for name in set(this.names) - {missing}:
        (tmp_path / name).write_text("{}")
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    source = this.source.partition("\n")[2]
    done = subprocess.run(
        ["bash", "-c", source], cwd=tmp_path, env={"PATH": path}, capture_output=True, check=False
    )
    assert done.returncode != 0, done
    (said,) = left_out.files_left_out(cell, cells, tmp_path)
    assert said.startswith(f"{missing} is not there. A cell further up, below the heading")


def test_the_heading_is_that_of_the_cell_which_writes_the_file(tmp_path: Path) -> None:
    (said,) = left_out.files_left_out("12-96", of_lab("12"), tmp_path)
    assert said == (
        'next.json is not there. A cell further up, below the heading "What runs", writes the '
        "file: run that cell first, then this one."
    )


@pytest.mark.parametrize("cell", ["12-04", "12-13", "a cell of the learner's"])
def test_other_cells_miss_no_file(cell: str, tmp_path: Path) -> None:
    assert list(left_out.files_left_out(cell, of_lab("12"), tmp_path)) == []


def test_a_file_that_is_there_is_not_named(tmp_path: Path) -> None:
    (tmp_path / "next.json").write_text("{}")
    assert list(left_out.files_left_out("12-96", of_lab("12"), tmp_path)) == []


# what is gone


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("12") as made:
        yield made


def test_nothing_is_gone_of_a_lab_that_has_just_begun(lab: Desk) -> None:
    assert beginning.what_is_gone("12", lab.place) == ""


@pytest.mark.parametrize("number", ["11", "13"])
def test_without_the_pipeline_a_lab_begins_again(lab: Desk, number: str) -> None:
    assert beginning.what_is_gone(number, lab.place) == (
        "Gone, of what this lab began with: the pipeline demo-app. lab.restart() makes the "
        "lab's beginning again, and keeps a snapshot of what is there."
    )
    said = beginning.bring_back(number, lab.place)
    assert said.stays_gone == ("the pipeline demo-app",)
    assert "Nothing to bring back" not in said.text


def test_a_pipeline_that_is_not_there_is_told_in_words(lab: Desk) -> None:
    with pytest.raises(LabError, match="There is no pipeline demo-app"):
        lab.lab.pipeline("demo-app")


def test_the_service_that_is_gone_comes_back_and_nothing_else_changes(lab: Desk) -> None:
    lab.done(
        "aws iam put-role-policy --role-name demo-app-execution --policy-name mine "
        '--policy-document \'{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
        '"Action": "s3:Get*", "Resource": "*"}]}\'\n'
        "aws ecs delete-service --cluster demo --service web --force --query service.status\n"
        "aws ecs wait services-inactive --cluster demo --services web"
    )
    ecs, iam = lab.place.client("ecs"), lab.place.client("iam")
    before = ecs.list_task_definitions(familyPrefix="demo-app")["taskDefinitionArns"]
    assert beginning.what_is_gone("12", lab.place) == (
        "Gone, of what this lab began with: the service web of the cluster demo. "
        "lab.bring_back() makes it again, and changes nothing else."
    )
    lab.place.removed.clear()

    (said,) = beginning.bring_back("12", lab.place).made

    assert said == "the service web of the cluster demo runs 1.1.0 in 2 tasks"
    (web,) = ecs.describe_services(cluster="demo", services=["web"])["services"]
    assert (web["status"], web["runningCount"]) == ("ACTIVE", 2)
    assert iam.list_role_policies(RoleName="demo-app-execution")["PolicyNames"] == ["mine"]
    after = ecs.list_task_definitions(familyPrefix="demo-app")["taskDefinitionArns"]
    assert set(before) < set(after)
    assert lab.place.removed == []
    assert beginning.what_is_gone("12", lab.place) == ""


def test_a_missing_version_comes_back_and_the_other_images_stay(lab: Desk) -> None:
    ecr = lab.place.client("ecr")
    kept = ecr.batch_get_image(repositoryName="demo-app-repo", imageIds=[{"imageTag": "1.1.0"}])[
        "images"
    ][0]
    ecr.put_image(
        repositoryName="demo-app-repo", imageManifest=kept["imageManifest"], imageTag="mine"
    )
    ecr.batch_delete_image(repositoryName="demo-app-repo", imageIds=[{"imageTag": "1.0.0"}])
    back = beginning.bring_back("12", lab.place)
    assert back.made == ("repository demo-app-repo has the images 1.0.0 and 1.1.0",)
    listed = ecr.list_images(repositoryName="demo-app-repo")["imageIds"]
    assert {one["imageTag"] for one in listed} == {"1.0.0", "1.1.0", "mine"}
    assert back.stays_gone == ()


def test_catch_up_begins_with_what_is_gone_of_the_beginning(lab: Desk) -> None:
    ecr = lab.place.client("ecr")
    tags = [{"imageTag": "1.0.0"}, {"imageTag": "1.1.0"}]
    ecr.batch_delete_image(repositoryName="demo-app-repo", imageIds=tags)
    assert lab.lab._begin("12.1").startswith(
        "What was gone of the lab's beginning is back first: "
        "repository demo-app-repo has the images 1.0.0 and 1.1.0."
    )
    assert lab.lab._begin("12.1") == ""


def test_catch_up_runs_nothing_where_the_beginning_does_not_come_back_alone(lab: Desk) -> None:
    ran = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catch_up, "run", lambda *given: ran.append(given))
        with pytest.raises(LabError) as refused:
            Lab(LABS["13"], lab.place).catch_up("13.1")
    assert str(refused.value) == (
        "Nothing was run. Gone, of what this lab began with: the pipeline demo-app.\n"
        "Make the lab's beginning again, and catch up from there:\n"
        '  lab.restart()\n  lab.catch_up("13.1")'
    )
    assert ran == []


def test_lab_09_gets_its_service_back_with_the_first_release() -> None:
    with desk("09") as lab:
        lab.done(
            "aws ecs delete-service --cluster demo --service web --force --query service.status\n"
            "aws ecs wait services-inactive --cluster demo --services web\n"
            "aws ecs delete-cluster --cluster demo --query cluster.status"
        )
        said = beginning.what_is_gone("09", lab.place)
        assert "the service web of the cluster demo. lab.bring_back() makes it again" in said
        lab.place.removed.clear()
        beginning.bring_back("09", lab.place)
        assert lab.place.removed == []
        assert lab.shell("sh page.sh").stdout == "Hello from demo-app, version 1.\n"
