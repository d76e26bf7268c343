"""The card of a restart: the snapshot first, few lines about images, and the truth about files."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs_helpers.curriculum import LABS
from labs_helpers.prepare import Place, beginning
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.step import Step, few
from labs_helpers.workspace import Workspace

FILES = Path("notebooks/files/09")


def _images(place: Place) -> None:
    place.removed.extend(f"image {place.registry}/demo-app-repo:{n}" for n in range(15))
    place.removed.extend(f"image demo-app-repo:{n}" for n in range(15))
    place.removed.append("bucket b")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A learner of lab 09 in whose way thirty images and a file of the lab's cells are."""
    project = tmp_path / "project"
    (project / "notebooks" / "files" / "09").mkdir(parents=True)
    for name in ("gate.yml", "log.sh"):
        (project / FILES / name).write_text("as it came")
    workspace = Workspace(tmp_path / "labs", project).create()
    listed = (
        Step("no images", _images),
        as_they_came("09", "the lab's files are as they came", made=("my-queue.json",)),
    )
    monkeypatch.setattr(beginning, "steps", lambda number, mode: listed)
    work = workspace.enter("09")
    (work / "log.sh").write_text("changed")
    for name in ("my-queue.json", "pin.json", "09-mine.ipynb"):
        (work / name).write_text("mine")
    return Place(workspace, "sandbox", "123456789012", "us-west-2")


def test_a_restart_says_in_few_lines_what_went_came_back_and_stays(place: Place) -> None:
    made = beginning.start_over("09", place)
    lines = beginning.card_of(LABS["09"], place, "the labs' own", made).text.splitlines()
    said = [line.strip() for line in lines]
    assert said[5].startswith("snapshot  all that was there is kept; to bring it back: labs snap")
    assert len(lines) < 20
    (images,) = (line for line in said if "local images" in line)
    assert images.startswith("15 names of local images: demo-app-repo:0, demo-app-repo:1,")
    assert images.endswith("demo-app-repo:5 and 9 more")
    assert "bucket b" in said
    assert "your changes to the file log.sh (kept in .labs/snapshots/lab09-files/)" in said
    assert "the file my-queue.json (kept in .labs/snapshots/lab09-files/)" in said
    assert "note      came back, after you had removed them: gate.yml" in said
    assert "other files in the lab's folder stay as they are: pin.json" in said
    assert len(made.removed) == 33  # other labs are told of each


def test_files_of_another_lab_that_the_beginning_lays_are_no_other_files(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = (as_they_came("11", "the files of lab 09 are as they came", of="09"),)
    monkeypatch.setattr(beginning, "steps", lambda number, mode: listed)
    work = place.workspace.enter("11")
    (work / "mine.txt").write_text("mine")
    beginning.make("11", place)
    again = beginning.start_over("11", place)
    assert (work / "gate.yml").read_text() == "as it came"
    assert again.notes == ("other files in the lab's folder stay as they are: mine.txt",)


def test_a_line_has_six_names_at_most() -> None:
    assert few(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d, e, f"
    assert few(["a", "b", "c", "d", "e", "f", "g", "h"]) == "a, b, c, d, e, f and 2 more"
