"""`kill -9` at random points: every change that was acknowledged is there, and none by half."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("trials", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_what_was_acknowledged_is_there_and_nothing_by_half(tmp_path: Path, trials: int) -> None:
    command = [sys.executable, "-m", "tests.sandbox.moto.killing", str(tmp_path), str(trials), "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= trials
