"""One state, one server: whatever was lost or renamed around a running sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs_helpers.runtime.folder_lock import FolderInUse
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace
from tests.ports import free_port
from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running


def last_words(home: Path) -> str:
    return (home / "log").read_text()


def test_a_second_server_on_a_state_is_refused_in_words(sandbox: Running, tmp_path: Path) -> None:
    """Reported as D6."""
    (tmp_path / "link").symlink_to(sandbox.home)
    second = sandbox_process.spawn(tmp_path / "link", free_port())
    assert second.wait(60) == 1
    said = last_words(sandbox.home)
    assert f"another sandbox works on {sandbox.home / 'sandbox'} already" in said
    assert f"process {sandbox.process.pid}" in said
    assert sandbox.client("iam").list_users()["Users"]


def test_a_start_that_has_lost_its_process_does_not_start_another(sandbox: Running) -> None:
    record = sandbox.home / "sandbox" / "server.json"
    kept = record.read_text()
    record.write_text("{}")
    said: list[str] = []
    try:
        with pytest.raises(FolderInUse, match=f"kill {sandbox.process.pid}"):
            process.start(Workspace(sandbox.home), said.append)
    finally:
        record.write_text(kept)
    assert said == []
