"""One process for one folder: the lock outlives everything but its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs_helpers.files import WorkspaceError
from labs_helpers.runtime.folder_lock import NAME, FolderInUse, FolderLock

HOLDER = """
import sys
from pathlib import Path
from labs_helpers.runtime.folder_lock import FolderLock
lock = FolderLock.take(Path(sys.argv[1]), "server")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        if process.poll() is None:
            process.kill()


def test_a_second_process_is_refused_in_words(tmp_path: Path) -> None:
    with another_process(tmp_path) as first, pytest.raises(FolderInUse) as caught:
        FolderLock.take(tmp_path, "sandbox", seconds=0)
    said = str(caught.value)
    assert f"another sandbox works on {tmp_path} already: process {first.pid}" in said
    assert f"labs stop. If labs stop finds nothing: kill {first.pid}" in said


def test_another_path_to_the_folder_leads_to_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to("state")
    with another_process(tmp_path / "state"), pytest.raises(FolderInUse, match="state already"):
        FolderLock.take(tmp_path / "link", "sandbox", seconds=0)


def test_a_file_dated_differently_is_locked_all_the_same(tmp_path: Path) -> None:
    with another_process(tmp_path):
        os.utime(tmp_path / NAME, (0, 0))
        with pytest.raises(FolderInUse):
            FolderLock.take(tmp_path, "sandbox", seconds=0)


def test_a_killed_process_leaves_the_folder_free(tmp_path: Path) -> None:
    with another_process(tmp_path) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        FolderLock.take(tmp_path, "sandbox", seconds=0).release()


def test_a_released_lock_is_free(tmp_path: Path) -> None:
    FolderLock.take(tmp_path, "sandbox").release()
    FolderLock.take(tmp_path, "sandbox", seconds=0).release()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="gone"):
        FolderLock.take(tmp_path / "gone", "sandbox")
