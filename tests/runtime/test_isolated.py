"""The mark of an isolated program says which build it belongs to, and no program changes that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labs_helpers.buildspec.scratch import scratch
from labs_helpers.runtime import isolated

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the mark is a limit of Linux")

BECOMES = """\
import resource, sys
sys.stdin.readline()
for name, limit in ((10, int(sys.argv[1])), (15, int(sys.argv[2]))):
    try:
        resource.setrlimit(name, (limit, limit))
    except (OSError, ValueError):
        pass
for name in (10, 15):
    print(resource.getrlimit(name)[1])
"""


def lowered(mark: dict[int, int], wanted: dict[int, int]) -> tuple[int, int]:
    """The limits of a program with a mark, after it has asked for those of a build."""
    command = [sys.executable, "-I", "-c", BECOMES, *map(str, wanted.values())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        isolated.mark(process.pid, mark)
        said, _ = process.communicate(b"\n", timeout=60)
    locks, real_time = map(int, said.split())
    return locks, real_time


def test_no_program_becomes_a_program_of_a_build(tmp_path: Path) -> None:
    with scratch(tmp_path) as build, scratch(tmp_path) as other:
        wanted = isolated.limits_of(build)
        for mark in (isolated.OF_NO_BUILD, isolated.limits_of(other)):
            assert isolated.folder_of(*lowered(mark, wanted), tmp_path) is None
        assert isolated.folder_of(*lowered(wanted, wanted), tmp_path) == build


def test_a_program_that_outlives_its_build_is_of_no_later_build(tmp_path: Path) -> None:
    with scratch(tmp_path) as build:
        left = isolated.limits_of(build)
        assert isolated.folder_of(*left.values(), tmp_path) == build
    for _ in range(20):  # a disk gives the number of the removed folder to one of the next
        with scratch(tmp_path):
            assert isolated.folder_of(*left.values(), tmp_path) is None
