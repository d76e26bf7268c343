"""Where the labs' files are, and that a bad place is named with what to do about it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from labs_helpers.files import (
    SetAside,
    WorkspaceError,
    cannot_read,
    read_json,
    unused,
    write_json,
)
from labs_helpers.workspace import SOCKET_PATH_LIMIT, Workspace

as_root = os.geteuid() == 0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "notebooks" / "files").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    return folder


def test_labs_home_wins(project: Path, tmp_path: Path) -> None:
    found = Workspace.find({"LABS_HOME": "/elsewhere"}, cwd=project, package=tmp_path / "lib")
    assert (found.home, found.project) == (Path("/elsewhere"), project)


def test_a_relative_labs_home_is_made_absolute(project: Path) -> None:
    assert Workspace.find({"LABS_HOME": "mine"}, cwd=project).home == project / "mine"


def test_the_project_of_the_package_itself(project: Path, tmp_path: Path) -> None:
    found = Workspace.find({}, cwd=tmp_path, package=project / "labs_helpers")
    assert found == Workspace(project / ".labs", project)


def test_the_project_above_the_current_folder(project: Path, tmp_path: Path) -> None:
    inside = project / "notebooks" / "files"
    found = Workspace.find({}, cwd=inside, package=tmp_path / "site-packages" / "labs_helpers")
    assert found == Workspace(project / ".labs", project)


def test_without_a_project_the_current_folder(tmp_path: Path) -> None:
    found = Workspace.find({}, cwd=tmp_path, package=tmp_path / "lib" / "labs_helpers")
    assert found == Workspace(tmp_path / ".labs", None)
    with pytest.raises(WorkspaceError, match="No notebooks/ here"):
        _ = found.notebooks


def test_folders_are_private_and_kept_out_of_git(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "h")
    workspace.home.mkdir(mode=0o755)
    workspace.create().create()
    folders = [workspace.home, workspace.sandbox, workspace.engine, workspace.docker]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    assert (workspace.home / ".gitignore").read_text() == "*\n"


def test_a_path_too_long_for_a_socket_names_labs_home() -> None:
    fixed = len("/engine/docker.sock")
    Workspace(Path("/" + "x" * (SOCKET_PATH_LIMIT - fixed - 1))).check_socket_path()
    with pytest.raises(WorkspaceError, match="LABS_HOME"):
        Workspace(Path("/" + "x" * (SOCKET_PATH_LIMIT - fixed))).check_socket_path()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match=r"Cannot write .*file/h.*\n.*LABS_HOME"):
        Workspace(tmp_path / "file" / "h").create()


@pytest.mark.skipif(as_root, reason="root may write everywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WorkspaceError, match="Permission denied"):
        Workspace(tmp_path / "h").create()


def test_choices_are_remembered_beside_the_defaults(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.remembered() == {"account": "123456789012", "region": "us-west-2"}
    workspace.remember(port=4567)
    workspace.remember(mode="sandbox")
    assert workspace.remembered()["port"] == 4567
    assert workspace.choices.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"null", b"\xff\xfe\x00", b"\x00" * 40])
def test_a_broken_file_is_set_aside_with_a_word(tmp_path: Path, text: bytes) -> None:
    workspace = Workspace(tmp_path)
    workspace.choices.write_bytes(text)
    with pytest.warns(SetAside, match=r"config\.json is not readable"):
        assert workspace.remembered()["region"] == "us-west-2"
    (kept,) = tmp_path.glob("config.json.broken-*")
    assert kept.read_bytes() == text
    assert not workspace.choices.exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert read_json(path) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "typing error in the path"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "typing error in the path"),
        (IsADirectoryError(errno.EISDIR, "Is a directory"), "Move the folder elsewhere"),
        (OSError(errno.EIO, "Input/output error"), "LABS_HOME=~/.labs"),
    ],
)
def test_only_what_is_not_ours_may_be_taken_back(error: OSError, advice: str) -> None:
    said = str(cannot_read(Path("/hom"), error))
    assert said.startswith(f"Cannot read /hom: {error.strerror}.\n")
    assert advice in said
    assert "chown" not in said


def test_no_owner_is_changed_but_that_of_the_file_itself() -> None:
    said = str(cannot_read(Path("/my home/f"), PermissionError(errno.EACCES, "Permission denied")))
    assert "  sudo chown \"$USER\" '/my home/f'\n" in said
    assert "-R" not in said


def test_a_file_that_cannot_be_read_is_not_sent_to_a_reset_that_cannot_read_it_either(
    tmp_path: Path,
) -> None:
    with pytest.raises(WorkspaceError, match="Move the folder elsewhere") as fault:
        read_json(tmp_path)
    assert "labs reset" not in str(fault.value)


def test_a_name_in_use_gets_a_number(tmp_path: Path) -> None:
    found = []
    for _ in range(3):
        found.append(unused(tmp_path / "2026.d").name)
        (tmp_path / found[-1]).touch()
    assert found == ["2026.d", "2026.d-2", "2026.d-3"]
