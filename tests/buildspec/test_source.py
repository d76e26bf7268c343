"""The copy of the source, the folder of a build, and what a build refuses before it begins."""

from __future__ import annotations

import os
import socket
from pathlib import Path

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
