"""The workbook through updates of the project: not a word of the learner's is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from labs_helpers.files import LabsError, SetAside, WorkspaceError
from labs_helpers.learners_copy import files, opening
from labs_helpers.workspace import Workspace

as_root = os.geteuid() == 0
NOTEBOOK = "05-log-in/05-log-in.ipynb"
SEEN = [nbformat.v4.new_output("stream", text="seen\n")]


@dataclass
class Course:
    """A project with two labs, and a learner's workbook of it."""

    project: Path
    workspace: Workspace
    said: list[str] = field(default_factory=list)
    open: set[str] = field(default_factory=set)

    @property
    def book(self) -> Path:
        return self.project / "my-labs"

    def publish(self, *cells: tuple[str, str], **files: str | None) -> None:
        """A new version of lab 05: its cells, and files of lab 06 (None: no longer there)."""
        write(self.project / "notebooks" / "05-log-in.ipynb", *cells, outputs=SEEN)
        for name, text in files.items():
            path = self.project / "notebooks" / "files" / "06" / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    def update(self) -> str:
        """Bring the workbook up to date; gives what was said."""
        self.said.clear()
        opening.up_to_date(
            self.workspace, self.said.append, {}, lambda folder, workspace: self.open
        )
        return "\n".join(self.said)

    def cells(self, path: str = NOTEBOOK) -> list[str]:
        notebook = json.loads((self.book / path).read_text())
        return ["".join(cell["source"]) for cell in notebook["cells"]]

    def edit(self, change: Callable[[list[Any]], Any], path: str = NOTEBOOK) -> None:
        """Change a notebook's cells as the learner does, and save it as JupyterLab does."""
        notebook = nbformat.read(self.book / path, as_version=4)
        change(notebook.cells)
        notebook.metadata["language_info"] = {"name": "python", "version": "3.12.1"}
        nbformat.write(notebook, self.book / path)

    def everything(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.book).as_posix(): path.read_bytes()
            for path in self.book.rglob("*")
            if path.is_file()
        }


def write(path: Path, *cells: tuple[str, str], outputs: Any = ()) -> None:
    made = []
    for name, source in cells:
        cell = nbformat.v4.new_code_cell(source, id=name, outputs=list(outputs))
        cell.execution_count = 1
        made.append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)


def own(source: str) -> Any:
    return nbformat.v4.new_code_cell(source)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    project = tmp_path / "project"
    (project / "notebooks").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    course = Course(project, Workspace(tmp_path / "h", project).create())
    course.publish(("a", "one"), ("b", "# your turn"), ("c", "three"), Dockerfile="FROM v1\n")
    course.update()
    return course


def test_the_first_time_everything_is_laid_out_as_nobody_has_run_it(course: Course) -> None:
    shutil.rmtree(course.book)
    assert course.update() == "2 files laid out."
    notebook = nbformat.read(course.book / NOTEBOOK, as_version=4)
    assert [(cell.outputs, cell.execution_count) for cell in notebook.cells] == [([], None)] * 3
    assert (course.book / "06-build" / "Dockerfile").read_text() == "FROM v1\n"
    assert course.update() == ""


def test_what_was_laid_is_trusted(course: Course) -> None:
    data = str(course.workspace.home / "jupyter" / "data")
    with NotebookNotary(data_dir=data) as notary:
        assert notary.check_signature(nbformat.read(course.book / NOTEBOOK, as_version=4))


def test_what_was_not_changed_becomes_the_new_version(course: Course) -> None:
    course.edit(lambda cells: None)  # opened and saved: JupyterLab notes the kernel
    course.publish(("a", "better"), Dockerfile="FROM v2\n")
    assert course.update() == "2 files that you had not changed: now the new version."
    assert course.cells() == ["better"]
    assert (course.book / "06-build" / "Dockerfile").read_text() == "FROM v2\n"
    assert not (course.book / "earlier").exists()


def test_two_updates_with_edits_before_each(course: Course) -> None:
    course.edit(lambda cells: cells[1].update(source="aws ecr describe-repositories"))
    course.edit(lambda cells: cells.insert(1, own("my first note")))
    course.publish(("a", "one"), ("b", "# your turn"), ("c", "three, better"), ("d", "four"))
    said = course.update()
    mine = "aws ecr describe-repositories"
    assert course.cells() == ["one", "my first note", mine, "three, better", "four"]
    assert "changed: three, better" in said
    assert "added: four" in said

    course.edit(lambda cells: cells.append(own("my second note")))
    course.publish(("a", "uno"), ("b", "# your turn"), ("d", "four"))
    said = course.update()
    assert course.cells() == ["uno", "my first note", mine, "four", "my second note"]
    assert "removed: three, better" in said
    assert course.update() == ""


def test_a_version_that_a_merge_replaced_is_kept_with_its_outputs(course: Course) -> None:
    course.edit(lambda cells: [cell.update(outputs=SEEN) for cell in cells])
    before = (course.book / NOTEBOOK).read_bytes()
    course.publish(("a", "better"), ("b", "# your turn"), ("c", "three"))
    course.update()
    (kept,) = (course.book / "earlier").rglob("*.ipynb")
    assert kept.read_bytes() == before
    assert kept.relative_to(course.book).as_posix() in (course.book / "what-changed.md").read_text()


def test_where_both_changed_a_cell_the_new_version_is_beside(course: Course) -> None:
    course.edit(lambda cells: cells[0].update(source="mine"))
    course.publish(("a", "theirs"), ("b", "# your turn"), ("c", "three"))
    said = course.update()
    beside = "05-log-in/05-log-in.new.ipynb"
    assert course.cells() == ["mine", "# your turn", "three"]
    assert course.cells(beside) == ["theirs", "# your turn", "three"]
    assert beside in said
    assert "you changed this cell, and the new version does too: mine" in said
    assert beside in (course.book / "what-changed.md").read_text()
    assert course.update() == ""

    # the next version changes another cell as well; what lies beside is replaced
    course.publish(("a", "theirs"), ("b", "# your turn"), ("c", "four"))
    course.update()
    assert course.cells() == ["mine", "# your turn", "three"]
    assert course.cells(beside) == ["theirs", "# your turn", "four"]

    # the learner takes the new words over: the next version is merged again
    course.edit(lambda cells: cells[0].update(source="theirs"))
    course.edit(lambda cells: cells.append(own("a note")))
    course.publish(("a", "theirs"), ("b", "# your turn"), ("c", "five"))
    course.update()
    assert course.cells() == ["theirs", "# your turn", "five", "a note"]


def test_what_the_learner_wrote_in_the_file_beside_stays(course: Course) -> None:
    beside = "05-log-in/05-log-in.new.ipynb"
    course.edit(lambda cells: cells[0].update(source="mine"))
    course.publish(("a", "theirs"))
    course.update()
    course.edit(lambda cells: cells.append(own("written here")), beside)
    course.publish(("a", "theirs again"))
    course.update()
    assert course.cells(beside) == ["theirs", "written here"]
    assert course.cells("05-log-in/05-log-in.new-2.ipynb") == ["theirs again"]


def test_a_file_that_the_learner_changed_stays_and_the_new_one_is_beside(course: Course) -> None:
    dockerfile = course.book / "06-build" / "Dockerfile"
    dockerfile.write_text("FROM mine\n")
    course.publish(("a", "one"), Dockerfile="FROM v2\n")
    assert "06-build/Dockerfile.new" in course.update()
    assert dockerfile.read_text() == "FROM mine\n"
    assert dockerfile.with_name("Dockerfile.new").read_text() == "FROM v2\n"
    dockerfile.with_name("Dockerfile.new").unlink()
    assert course.update() == ""  # the learner has seen that version
    assert not dockerfile.with_name("Dockerfile.new").exists()


def test_a_file_that_the_project_no_longer_has_stays(course: Course) -> None:
    course.publish(("a", "one"), ("b", "# your turn"), ("c", "three"), Dockerfile=None)
    assert "06-build/Dockerfile is as you left it." in course.update()
    assert (course.book / "06-build" / "Dockerfile").read_text() == "FROM v1\n"
    assert course.update() == ""


def test_a_file_that_the_learner_removed_comes_back(course: Course) -> None:
    (course.book / NOTEBOOK).rename(course.book / "05-log-in" / "mine.ipynb")
    assert course.update() == "1 file laid out."
    assert course.cells() == course.cells("05-log-in/mine.ipynb")


@pytest.mark.parametrize("damage", [b"", b'{"cells": [', b"<<<<<<< HEAD\n", b"[]", b'{"cells": 1}'])
def test_a_damaged_notebook_is_kept_and_a_fresh_one_opens(course: Course, damage: bytes) -> None:
    (course.book / NOTEBOOK).write_bytes(damage)
    said = course.update()
    (kept,) = (course.book / "05-log-in").glob("*.broken-*.ipynb")
    assert kept.read_bytes() == damage
    assert kept.name in said
    assert course.cells() == ["one", "# your turn", "three"]


def test_a_notebook_of_the_project_that_is_damaged_changes_nothing(course: Course) -> None:
    course.edit(lambda cells: cells[0].update(source="mine"))
    before = course.everything()
    (course.project / "notebooks" / "05-log-in.ipynb").write_text("<<<<<<< HEAD\n")
    assert "notebooks/05-log-in.ipynb is not readable as a notebook" in course.update()
    assert course.everything() == before


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"laid": 3}', '{"laid": {"x": 1}}'])
def test_with_a_damaged_record_nothing_of_the_learner_s_is_touched(
    course: Course, damage: str
) -> None:
    course.edit(lambda cells: cells[0].update(source="mine"))
    (course.book / "06-build" / "Dockerfile").write_text("FROM mine\n")
    (course.book / ".labs-copy" / "record.json").write_text(damage)
    shutil.rmtree(course.book / ".labs-copy" / "base")
    course.publish(("a", "theirs"), ("b", "# your turn"), ("c", "three"), Dockerfile="FROM v2\n")
    if damage in ("", "{", "[1]"):
        with pytest.warns(SetAside):
            course.update()
    else:
        course.update()
    assert course.cells()[0] == "mine"
    assert course.cells("05-log-in/05-log-in.new.ipynb")[0] == "theirs"
    assert (course.book / "06-build" / "Dockerfile").read_text() == "FROM mine\n"
    assert course.update() == ""


def test_a_base_that_was_altered_is_not_believed(course: Course) -> None:
    course.edit(lambda cells: cells[0].update(source="mine"))
    for content in (course.book / ".labs-copy" / "base").iterdir():
        content.write_text('{"cells": [], "metadata": {}}')
    course.publish(("a", "one"), ("b", "# your turn"), ("c", "better"))
    course.update()
    assert course.cells() == ["mine", "# your turn", "three"]
    assert course.cells("05-log-in/05-log-in.new.ipynb") == ["one", "# your turn", "better"]


def test_a_crash_at_any_write_loses_nothing(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each crash the learner goes on writing, and the next update completes the work."""
    course.edit(lambda cells: cells[1].update(source="mine"))
    course.publish(("a", "better"), ("b", "# your turn"), ("c", "3"), Dockerfile="FROM v2\n", x="y")
    replace = files.replace
    state = course.project.with_name("state")
    shutil.copytree(course.book, state)
    crashes = 0
    while True:
        shutil.rmtree(course.book)
        shutil.copytree(state, course.book)
        left = [crashes]

        def crash(path: Path, content: bytes, mode: int = 0o644, left: Any = left) -> None:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            replace(path, content, mode)

        for module in ("update.files", "report.files", "opening.files"):
            monkeypatch.setattr(f"labs_helpers.learners_copy.{module}.replace", crash)
        monkeypatch.setattr("labs_helpers.learners_copy.base.replace", crash)
        try:
            course.update()
        except KeyboardInterrupt:
            finished = False
        else:
            finished = True
        monkeypatch.undo()
        course.edit(lambda cells: cells.append(own("after the crash")))
        course.update()
        assert course.cells() == ["better", "mine", "3", "after the crash"], crashes
        assert (course.book / "06-build" / "Dockerfile").read_text() == "FROM v2\n"
        crashes += 1
        if finished:
            break
    assert crashes > 5


@pytest.mark.skipif(as_root, reason="root may write everywhere")
@pytest.mark.parametrize("folder", [".", "05-log-in", ".labs-copy", ".labs-copy/base"])
def test_a_folder_that_cannot_be_written_names_labs_workbook(course: Course, folder: str) -> None:
    course.publish(("a", "better"))
    if folder == ".":
        shutil.rmtree(course.book / "05-log-in")
    (course.book / folder).chmod(0o500)
    try:
        with pytest.raises(WorkspaceError, match=r"(?s)Cannot write .*LABS_WORKBOOK"):
            course.update()
    finally:
        (course.book / folder).chmod(0o700)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_is_named_and_what_was_there_stays(
    course: Course, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    course.edit(lambda cells: cells[1].update(source="mine"))
    before = course.everything()
    course.publish(("a", "better"), ("b", "# your turn"), ("c", "three"))

    def full(*arguments: Any, **options: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("labs_helpers.files.tempfile.mkstemp", full)
    with pytest.raises(WorkspaceError, match=rf"{os.strerror(number)}\.\n.*\n.*LABS_WORKBOOK"):
        course.update()
    assert course.everything() == before


def test_a_notebook_that_is_open_waits(course: Course) -> None:
    course.edit(lambda cells: cells[1].update(source="mine"))
    before = (course.book / NOTEBOOK).read_bytes()
    course.publish(("a", "better"), ("b", "# your turn"), ("c", "three"), Dockerfile="FROM v2\n")
    course.open = {NOTEBOOK}
    said = course.update()
    assert f"{NOTEBOOK} is as it was." in said
    assert "open in JupyterLab" in said
    assert (course.book / NOTEBOOK).read_bytes() == before
    assert (course.book / "06-build" / "Dockerfile").read_text() == "FROM v2\n"
    course.open = set()
    course.update()
    assert course.cells() == ["better", "mine", "three"]


def test_a_notebook_saved_during_the_update_keeps_what_was_saved(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.publish(("a", "better"), ("b", "# your turn"), ("c", "three"))
    read, seen = files.read, []

    def reading(path: Path) -> bytes | None:
        found = read(path)
        if path.name == "05-log-in.ipynb" and not seen:
            seen.append(path)
            course.edit(lambda cells: cells[1].update(source="saved just now"))
        return found

    monkeypatch.setattr(files, "read", reading)
    assert "was saved just now" in course.update()
    assert course.cells() == ["one", "saved just now", "three"]
    course.update()
    assert course.cells() == ["better", "saved just now", "three"]


def test_a_folder_in_the_place_of_a_file_is_named(course: Course) -> None:
    (course.book / NOTEBOOK).unlink()
    (course.book / NOTEBOOK / "inside").mkdir(parents=True)
    shutil.rmtree(course.book / "06-build")
    (course.book / "06-build").write_text("mine")
    said = course.update()
    assert f"something else has the place of {course.book / NOTEBOOK}" in said
    assert (course.book / "06-build").read_text() == "mine"


def test_two_updates_at_once_follow_each_other(course: Course) -> None:
    course.edit(lambda cells: cells[1].update(source="mine"))
    course.publish(("a", "better"), ("b", "# your turn"), ("c", "three"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: course.update(), range(4)))
    assert course.cells() == ["better", "mine", "three"]
    assert len([*(course.book / "earlier").rglob("*.ipynb")]) == 1


def test_a_merged_notebook_is_as_trusted_as_the_learner_s_was(course: Course) -> None:
    data = str(course.workspace.home / "jupyter" / "data")
    for trusted, version in ((False, "better"), (True, "best")):
        course.edit(lambda cells: cells[1].update(outputs=SEEN, source=cells[1].source + "."))
        with NotebookNotary(data_dir=data) as notary:
            if trusted:
                notary.sign(nbformat.read(course.book / NOTEBOOK, as_version=4))
        course.publish(("a", version), ("b", "# your turn"), ("c", "three"))
        course.update()
        with NotebookNotary(data_dir=data) as notary:
            found = nbformat.read(course.book / NOTEBOOK, as_version=4)
            assert notary.check_signature(found) is trusted
    assert course.cells()[0] == "best"


def test_cells_that_only_changed_places_are_an_update_too(course: Course) -> None:
    course.edit(lambda cells: cells[1].update(source="mine"))
    course.publish(("c", "three"), ("a", "one"), ("b", "# your turn"))
    assert "changed: the order of cells" in course.update()
    assert course.cells() == ["three", "one", "mine"]


def test_a_notebook_that_jupyter_would_not_open_is_merged_all_the_same(course: Course) -> None:
    found = json.loads((course.book / NOTEBOOK).read_text())
    found["cells"][1]["source"] = "mine"
    del found["nbformat"], found["nbformat_minor"]
    (course.book / NOTEBOOK).write_text(json.dumps(found))
    course.publish(("a", "better"), ("b", "# your turn"), ("c", "three"))
    course.update()
    assert course.cells() == ["better", "mine", "three"]


def test_what_the_learner_adds_to_the_note_stays(course: Course) -> None:
    (course.book / "what-changed.md").write_bytes(b"my words \xff\n")
    course.edit(lambda cells: cells[0].update(source="mine"))
    course.publish(("a", "theirs"))
    course.update()
    note = (course.book / "what-changed.md").read_bytes()
    assert note.startswith(b"my words \xff\n")
    assert b"05-log-in.new.ipynb" in note


def test_a_workbook_under_another_name_in_the_project_is_kept_out_of_git(course: Course) -> None:
    named = {"LABS_WORKBOOK": str(course.project / "course")}
    opening.up_to_date(course.workspace, course.said.append, named, lambda folder, _: set())
    assert (course.project / "course" / ".gitignore").read_text() == "*\n"
    assert not (course.book / ".gitignore").exists()


@pytest.mark.parametrize("named", [".", "..", "notebooks", "notebooks/mine"])
def test_the_project_itself_is_no_workbook(course: Course, named: str) -> None:
    environ = {"LABS_WORKBOOK": str(course.project / named)}
    with pytest.raises(LabsError, match="LABS_WORKBOOK is"):
        opening.up_to_date(course.workspace, course.said.append, environ, lambda *_: set())


def test_a_damaged_record_of_signatures_stops_nothing(course: Course) -> None:
    database = course.workspace.home / "jupyter" / "data" / "nbsignatures.db"
    database.write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(database).execute("select * from nbsignatures")
    course.publish(("a", "better"))
    course.update()
    assert course.cells() == ["better"]
