"""The copy of the source, the folder of a build, and what a build refuses before it begins."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.buildspec import source
from labs_helpers.buildspec.build import CannotRun
from labs_helpers.buildspec.scratch import scratch
from tests.buildspec.builds import commands, run


def test_a_pipe_and_a_socket_are_left_out_and_links_stay_links(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a").write_text("a")
    (folder / "link").symlink_to("a")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket"))
        source.copy(folder, tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["a", "link"]
    assert (tmp_path / "copy" / "link").is_symlink()


def test_a_copy_below_the_source_does_not_copy_itself(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / ".labs" / "builds").mkdir(parents=True)
    source.copy(tmp_path, tmp_path / ".labs" / "builds" / "src", leave_out=[tmp_path / ".labs"])
    assert [path.name for path in (tmp_path / ".labs/builds/src").iterdir()] == ["a"]


def test_a_folder_that_is_too_large_or_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(source.SourceError, match="--source"):
        source.copy(tmp_path / "none", tmp_path / "copy")
    monkeypatch.setattr(source, "MOST_FILES", 2)
    for name in "abc":
        (tmp_path / name).touch()
    with pytest.raises(source.SourceError, match="more than 2 files"):
        source.copy(tmp_path, tmp_path / "copy")


def test_the_folder_of_a_build_goes_whatever_the_build_did_to_it(tmp_path: Path) -> None:
    with scratch(tmp_path) as folder:
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a" / "b" / "c").touch()
        (folder / "a").chmod(0)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_build_left_goes_and_a_running_build_stays(tmp_path: Path) -> None:
    (tmp_path / "left").mkdir()
    (tmp_path / "left.lock").touch()
    with scratch(tmp_path) as running, scratch(tmp_path) as second:
        assert not (tmp_path / "left").exists()
        assert running.exists()
        assert second.exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("batch: {build-list: []}\n", "line 6: batch: "),
        ("run-as: nobody-of-this-machine\n", "line 6: run-as: "),
    ],
)
def test_what_this_machine_cannot_do_is_refused_by_line(
    tmp_path: Path, more: str, words: str
) -> None:
    with pytest.raises(CannotRun) as refused:
        run(tmp_path, commands("true") + more)
    assert str(refused.value).startswith(words)
    assert "Remove the key" in str(refused.value)


def _linked(folder: Path) -> tuple[Path, dict[str, str]]:
    """A source with links of every kind, and what its files say."""
    source = folder / "source"
    (source / "dir" / "deep").mkdir(parents=True)
    (source / "real.txt").write_text("original")
    (source / "dir" / "a.txt").write_text("original")
    (folder / "outside.txt").write_text("original")
    return source, {
        "absolute": str(source / "real.txt"),
        "folder": str(source / "dir"),
        "again": "../source/real.txt",
        "through": "/".join([str(folder), "source/dir/../real.txt"]),
        "chain": "absolute",
        "dir/deep/plain": "../../real.txt",
        "dir/deep/below": "../../folder/a.txt",
        "parent": "..",
        "by_parent": "parent/source/real.txt",
        "file_outside": "../outside.txt",
        "root": "/",
        "new_outside": str(folder / "new.txt"),
        "loop": "loop",
    }


def test_no_link_of_the_copy_leads_to_a_file_of_the_author(tmp_path: Path) -> None:
    folder, links = _linked(tmp_path)
    for name, target in links.items():
        (folder / name).symlink_to(target)
    copy = tmp_path / "scratch" / "src"
    copy.parent.mkdir()
    source.copy(folder, copy)
    for name in links:
        seen = Path(os.path.realpath(copy / name))
        assert seen.is_relative_to(copy.parent), name
        if name in ("parent", "file_outside", "root", "new_outside", "loop"):
            assert not seen.exists()
        else:
            assert seen.relative_to(copy) == Path(os.path.realpath(folder / name)).relative_to(
                folder
            )
    kept = {name for name, to in links.items() if str((copy / name).readlink()) == to}
    assert kept == {"chain", "dir/deep/plain", "dir/deep/below", "loop"}
    assert {name: str((folder / name).readlink()) for name in links} == links


def test_a_command_that_writes_through_a_link_changes_the_copy_alone(tmp_path: Path) -> None:
    folder, links = _linked(tmp_path)
    for name, target in links.items():
        (folder / name).symlink_to(target)
    names = [name for name in links if name not in ("folder", "parent", "root", "loop")]
    wanted = [*names, "folder/a.txt", "parent/outside.txt", "parent/new2.txt"]
    lines = [f"echo changed > {name} || true" for name in wanted]
    ran = run(tmp_path, commands(*lines, "cat real.txt dir/a.txt"))
    assert ran.printed[-2:] == ["changed", "changed"]
    assert (folder / "real.txt").read_text() == "original"
    assert (folder / "dir" / "a.txt").read_text() == "original"
    assert (tmp_path / "outside.txt").read_text() == "original"
    assert not (tmp_path / "new.txt").exists()
    assert not (tmp_path / "new2.txt").exists()


def test_the_log_says_what_became_of_a_link(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "in").symlink_to(tmp_path / "source" / "a")
    (tmp_path / "source" / "out").symlink_to("../outside.txt")
    ran = run(tmp_path, commands("true"), {"a": "a"})
    inside = f"[labs] in: the link to {tmp_path}/source/a is a link to a in the build's copy\n"
    assert inside in ran.log
    assert "[labs] out: the link to ../outside.txt leads out of the source" in ran.log


def test_a_link_in_a_read_only_folder_is_changed_too(tmp_path: Path) -> None:
    folder, _ = _linked(tmp_path)
    (folder / "dir" / "link").symlink_to(folder / "real.txt")
    (folder / "dir").chmod(0o555)
    try:
        source.copy(folder, tmp_path / "copy")
    finally:
        (folder / "dir").chmod(0o755)
    assert (tmp_path / "copy" / "dir" / "link").resolve() == tmp_path / "copy" / "real.txt"
    assert (tmp_path / "copy" / "dir").stat().st_mode & 0o777 == 0o555
    (tmp_path / "copy" / "dir").chmod(0o755)


@pytest.mark.parametrize("earlier", [0, 1])
def test_a_link_in_the_place_of_a_folder_of_a_build_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: int
) -> None:
    """A program that the build left puts the link there just before the folder is opened up."""
    learners = tmp_path / "learners"
    learners.mkdir(mode=0o755)
    (learners / "file").touch()
    chmod, calls = os.chmod, []

    def late(path: str, mode: int, **options: Any) -> None:
        calls.append(path)
        if len(calls) == earlier + 1:
            (folder / "open").rename(folder / "moved")
            (folder / "open").symlink_to(learners)
        chmod(path, mode, **options)

    with scratch(tmp_path / "builds") as folder:
        (folder / "open").mkdir()
        monkeypatch.setattr(os, "chmod", late)
    monkeypatch.undo()
    assert len(calls) > earlier
    assert stat.S_IMODE(learners.stat().st_mode) == 0o755
    assert (learners / "file").exists()


def test_what_cannot_be_removed_yet_is_removed_by_the_next_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rmdir = os.rmdir

    def busy(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOTEMPTY, "a program still writes there")

    with scratch(tmp_path) as folder:
        (folder / "inner").mkdir()
        monkeypatch.setattr(os, "rmdir", busy)
    assert folder.exists()
    monkeypatch.setattr(os, "rmdir", rmdir)
    with scratch(tmp_path):
        assert not folder.exists()
