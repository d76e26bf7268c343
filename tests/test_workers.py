"""How workers share out the tests when one of them ends in the middle."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests import workers

PROJECT = Path(__file__).parents[1]
CONFTEST = """
from tests import workers

def pytest_xdist_make_scheduler(config, log):
    return workers.Groups(config, log)
"""
TESTS = """
import os

def test_before(): pass
def test_that_ends_its_worker(): os._exit(1)
def test_after(): pass
"""


def test_a_test_that_ends_its_worker_fails_once_and_the_next_ones_run(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_some.py").write_text(TESTS)
    outside = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-n", "1"),
            *("-p", "no:cacheprovider", "-p", "no:nbval"),
            *("-rA", "--rootdir", str(tmp_path), str(tmp_path)),
        ],
        cwd=tmp_path,
        env={**outside, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    seen = re.findall(r"^(PASSED|FAILED) test_some.py::(\w+)", ran.stdout, re.MULTILINE)
    assert sorted(seen) == [
        ("FAILED", "test_that_ends_its_worker"),
        ("PASSED", "test_after"),
        ("PASSED", "test_before"),
    ], ran.stdout + ran.stderr


def test_the_tests_of_a_daemon_are_one_worker_s() -> None:
    several = "tests/clients/test_every_engine.py"
    notebook = "tests/notebooks/test_outputs.py::test_a[01-aws-cli]"
    expected = {
        "tests/oci/test_digest.py::test_a[1]": "tests/oci/test_digest.py",
        f"{several}::TestA::test_a[podman]": "podman",
        f"{several}::TestA::test_a[containerd-b]": "containerd",
        f"{several}::TestA::test_a[dockerd]": "daemons",
        "tests/clients/test_dockerd.py::test_a": "daemons",
        f"{several}::TestA::test_a[embedded]": several,
        notebook: notebook,
    }
    assert {nodeid: workers.group(nodeid) for nodeid in expected} == expected
