"""Landlock's scopes, which keep a RUN from other programs' abstract sockets, signals and memory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from labs_helpers.engine.containers.keeper import scopes

INSIDE = """
import os, pathlib, socket, sys
from labs_helpers.engine.containers.keeper import scopes, syscalls
name, other, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
syscalls.prctl(syscalls.NO_NEW_PRIVILEGES, 1)
scopes.enter()

def tried(what, act):
    try:
        act()
    except PermissionError:
        print(what, "refused")
    else:
        print(what, "done")

tried("socket", lambda: socket.socket(socket.AF_UNIX).connect(chr(0) + name))
tried("signal", lambda: os.kill(other, 0))
tried("root", lambda: os.listdir(f"/proc/{other}/root"))
tried("rename", lambda: (folder / "a" / "file").rename(folder / "b" / "file"))
tried("own", lambda: os.kill(os.getpid(), 0))
"""


def test_nothing_of_a_process_outside_is_reached_and_files_are_as_before(tmp_path: Path) -> None:
    if not scopes.are_there():
        pytest.skip("this kernel has no scopes of Landlock")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "file").write_text("x")
    name = f"labs-{os.getpid()}-scopes"
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(f"\0{name}")
        daemon.listen()
        command = [sys.executable, "-c", INSIDE, name, str(os.getpid()), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert dict(line.split() for line in done.stdout.splitlines()) == {
        **dict.fromkeys(("socket", "signal", "root"), "refused"),
        **dict.fromkeys(("rename", "own"), "done"),
    }
