"""docker cp out of a container whose files changed between two copies: links lead nowhere."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from labs_helpers.engine.cli import copy
from labs_helpers.engine.cli.client import Failure


def unpack(target: Path, *members: tuple[str, bytes, str]) -> None:
    """Copy what a container sends: (name, kind of tar, content or target of a link)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, 0o755
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                member.linkname = content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content.encode()))
    file.seek(0)
    copy._unpack(file, f"/{members[0][0]}", target, False)


FOLDER = ("app", tarfile.DIRTYPE, "")


@pytest.mark.parametrize("link", ["../.bashrc", "/etc/hostname-that-is-not-there"])
def test_a_file_replaces_a_link_of_an_earlier_copy(tmp_path: Path, link: str) -> None:
    victim = tmp_path / ".bashrc"
    victim.write_text("kept")
    unpack(tmp_path, FOLDER, ("app/x", tarfile.SYMTYPE, link))
    unpack(tmp_path, FOLDER, ("app/x", tarfile.REGTYPE, "new"))
    assert victim.read_text() == "kept"
    assert (tmp_path / "app" / "x").read_text() == "new"
    assert not (tmp_path / "app" / "x").is_symlink()


def test_no_folder_of_a_copy_is_a_link_to_a_folder_beside(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    unpack(tmp_path, FOLDER, ("app/x", tarfile.SYMTYPE, "../.ssh"))
    with pytest.raises(Failure, match="a symbolic link leads out of"):
        unpack(tmp_path, FOLDER, ("app/x/authorized_keys", tarfile.REGTYPE, "key"))
    assert [*(tmp_path / ".ssh").iterdir()] == []


def test_a_second_copy_replaces_files_and_keeps_folders(tmp_path: Path) -> None:
    for content in ("old", "new"):
        inner = ("app/in", tarfile.DIRTYPE, "")
        unpack(tmp_path, FOLDER, inner, ("app/in/x", tarfile.REGTYPE, content))
    assert (tmp_path / "app" / "in" / "x").read_text() == "new"


@pytest.mark.parametrize("linked", ["app/../../.bashrc", "app/../.bashrc"])
def test_no_hard_link_of_a_copy_is_a_file_beside(tmp_path: Path, linked: str) -> None:
    victim = tmp_path / ".bashrc"
    victim.write_text("kept")
    target = tmp_path / "home"
    target.mkdir()
    with pytest.raises(Failure, match="is not copied"):
        unpack(target, FOLDER, ("app/x", tarfile.LNKTYPE, linked))
    assert victim.stat().st_nlink == 1


def test_nobody_else_may_write_what_was_copied(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("tool")
        member.mode = 0o6777
        archive.addfile(member, io.BytesIO())
    file.seek(0)
    copy._unpack(file, "/tool", tmp_path, False)
    assert (tmp_path / "tool").stat().st_mode & 0o7777 == 0o755
