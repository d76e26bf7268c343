"""Folders of builds: a sweep takes what a killed build left, and nothing of one that begins."""

import fcntl
from pathlib import Path

import pytest

from labs_helpers.buildspec.scratch import scratch
from labs_helpers.runtime.isolated import abandoned, lock_of


def test_a_lock_is_held_while_its_folder_is_swept(tmp_path: Path) -> None:
    """A build that has made its lock and not taken it yet waits until the sweep is over."""
    folder = tmp_path / "killed"
    folder.mkdir()
    lock_of(folder).touch()
    found = abandoned(tmp_path)
    assert next(found) == folder
    with lock_of(folder).open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert [*found] == []
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_next_build_removes_what_a_killed_one_left_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "killed").mkdir()
    lock_of(tmp_path / "killed").touch()
    with scratch(tmp_path) as one, scratch(tmp_path) as other:
        assert {*tmp_path.iterdir()} == {one, other, lock_of(one), lock_of(other)}
    assert [*tmp_path.iterdir()] == []
