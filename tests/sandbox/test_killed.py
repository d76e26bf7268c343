"""`kill -9` of a whole sandbox: every acknowledged change of every service is there, and whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("trials", "kinds"), [(20, 1), pytest.param(200, 4, marks=pytest.mark.soak)]
)
def test_what_was_acknowledged_is_there_in_every_service(
    tmp_path: Path, trials: int, kinds: int
) -> None:
    command = [sys.executable, "-m", "tests.sandbox.killing"]
    command += [str(tmp_path / "home"), str(trials), "11", str(kinds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) >= trials
