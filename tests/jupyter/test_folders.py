"""Jupyter's settings in LABS_HOME: there, up to date, and left alone where they are right."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from labs_helpers.files import WorkspaceError
from labs_helpers.jupyter import folders
from labs_helpers.workspace import Workspace

SETTINGS = "jupyter/config/jupyter_server_config.py"


def test_what_another_version_left_is_replaced_and_what_the_learner_added_stays(
    workspace: Workspace,
) -> None:
    folders.place(workspace)
    copy = workspace.home / SETTINGS
    wanted = copy.read_bytes()
    copy.write_text("# of another version")
    added = copy.with_name("jupyter_lab_config.py")
    added.write_text("# the learner's")
    folders.place(workspace)
    assert copy.read_bytes() == wanted
    assert added.read_text() == "# the learner's"


def test_a_full_disk_stops_no_server_whose_settings_are_there(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folders.place(workspace)
    monkeypatch.setattr("labs_helpers.files.tempfile.mkstemp", full)
    folders.place(workspace)
    copy = workspace.home / SETTINGS
    copy.write_text("# of another version")
    with pytest.raises(WorkspaceError, match="Free some space"):
        folders.place(workspace)
    assert copy.read_text() == "# of another version"


def test_kernels_of_a_hub_have_sockets_where_their_names_fit() -> None:
    home = "/home/learner01/.labs/jupyter/runtime"
    assert folders.transport(home) == "ipc"
    assert folders.transport("/home/" + "a" * 90) == "tcp"
    assert folders.transport("") == "tcp"
