"""A long log is rotated while its process runs, and the last lines are never lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging, os, sys, warnings
from pathlib import Path
from labs_helpers.runtime import rotated_log
path, lines = Path(sys.argv[1]), int(sys.argv[2])
logging.basicConfig(level=logging.INFO, handlers=[rotated_log.RotatedLog(path, longest=2000)])
for number in range(lines):
    logging.info("line %04d", number)
    if "moved" in sys.argv and number == 10:
        path.rename(path.with_name("elsewhere"))
print("on stdout", flush=True)
os.write(2, b"a traceback at the very end\\n")
print(len(os.listdir("/dev/fd")), file=sys.stderr)
"""


def run(path: Path, lines: int, *how: str) -> str:
    """All that a process wrote, of the old file and the new one."""
    with path.open("ab") as log:
        command = [sys.executable, "-c", PROGRAM, str(path), str(lines), *how]
        subprocess.run(command, stdout=log, stderr=log, check=True)
    return "".join(one.read_text() for one in (path.with_name("log.1"), path) if one.exists())


def test_a_short_log_is_one_file(tmp_path: Path) -> None:
    assert "line 0009" in run(tmp_path / "log", 10)
    assert [one.name for one in tmp_path.iterdir()] == ["log"]


def test_a_long_log_stays_within_two_files_and_ends_with_the_last_lines(tmp_path: Path) -> None:
    text = run(tmp_path / "log", 1000)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["log", "log.1"]
    assert all(one.stat().st_size < 2200 for one in tmp_path.iterdir())
    numbers = [int(line[-4:]) for line in text.splitlines() if " line " in line]
    assert numbers == list(range(numbers[0], 1000))
    assert len(numbers) > 2000 // 40


def test_what_is_no_log_line_is_in_the_new_file(tmp_path: Path) -> None:
    run(tmp_path / "log", 200)
    assert "on stdout\na traceback at the very end\n" in (tmp_path / "log").read_text()


def test_rotating_leaves_no_descriptor_open(tmp_path: Path) -> None:
    few, many = (run(tmp_path / str(lines) / "log", lines) for lines in made(tmp_path, 1, 2000))
    assert few.splitlines()[-1] == many.splitlines()[-1]


def test_a_log_that_somebody_moved_is_written_on(tmp_path: Path) -> None:
    run(tmp_path / "log", 200, "moved")
    assert "line 0199" in (tmp_path / "elsewhere").read_text()


def test_the_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    run(tmp_path / "log", 200)
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def made(folder: Path, *numbers: int) -> tuple[int, ...]:
    for number in numbers:
        (folder / str(number)).mkdir()
    return numbers
