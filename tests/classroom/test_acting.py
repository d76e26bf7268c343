"""An instructor's command for a learner: the learner's programs get no hold of the terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from labs_helpers.classroom import acting

def labs(folder, code):
    "What runs as the learner, instead of `labs`."
    program = Path(folder, "labs")
    program.write_text(f"#!{sys.executable}\\n{code}")
    program.chmod(0o755)
    return str(program)

home, code = sys.argv[1:]
acting.sys = type("Sys", (), {"executable": labs(home, code), "stdout": sys.stdout,
    "stderr": sys.stderr})
found = Path(home).stat()
who = acting.Person("ada", found.st_uid, found.st_gid, Path(home), Path(home))
print("code", acting.run(who, "x"))
"""


def on_a_terminal(home: Path, code: str) -> str:
    """What a terminal shows of an instructor's command while the learner's program runs."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home), code],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # the terminal is its own
    )
    os.close(theirs)
    shown = b""
    try:
        while select.select([ours], [], [], 60)[0]:
            try:
                shown += os.read(ours, 1 << 16)
            except OSError:
                break  # the last program has closed the terminal
        assert running.wait(60) == 0, shown
    finally:
        running.kill()
        running.wait()
        os.close(ours)
    return shown.decode()


def test_a_learners_program_has_no_terminal_to_type_into(tmp_path: Path) -> None:
    code = """
import os
for number in range(3):
    print(number, os.isatty(number))
try:
    print(os.open("/dev/tty", os.O_RDWR))
except OSError as error:
    print("no terminal:", error.errno)
"""
    shown = on_a_terminal(tmp_path, code)
    assert shown.split() == [
        "0",
        "False",
        "1",
        "False",
        "2",
        "False",
        "no",
        "terminal:",
        "6",
        "code",
        "0",
    ]


def test_what_a_learners_program_prints_steers_no_terminal(tmp_path: Path) -> None:
    code = r'print("a\x1b]0;title\x07b"); print("  c\bd"); raise SystemExit(3)'
    shown = on_a_terminal(tmp_path, code)
    assert shown.split("\r\n") == ["a?]0;title?b", "  c?d", "code 3", ""]


def test_what_the_command_starts_ends_with_the_learners_jupyterlab(tmp_path: Path) -> None:
    code = 'import os; print(os.environ["LABS_ENDS_WITH"], os.environ["LABS_HOME"])\n'
    assert f"jupyter {tmp_path}" in on_a_terminal(tmp_path, code)
