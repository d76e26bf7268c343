"""A Jupyter server of the labs is the same program, which loads less."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from labs_helpers.cli import lab
from labs_helpers.jupyter import launch

BIN = Path(sys.executable).parent
STARTED = [sys.executable, "-P", "-m", "labs_helpers.jupyter.launch"]


@pytest.mark.parametrize(
    ("command", "started"),
    [
        (
            [str(BIN / "jupyterhub-singleuser"), "--x"],
            [*STARTED, str(BIN / "jupyterhub-singleuser"), "--x"],
        ),
        ([str(BIN / "jupyter"), "lab", "--x"], [*STARTED, str(BIN / "jupyter-lab"), "--x"]),
        # jupyter's own options, no command
        ([str(BIN / "jupyter"), "--paths"], [*STARTED, str(BIN / "jupyter"), "--paths"]),
        (["/bin/echo", "x"], ["/bin/echo", "x"]),
        ([sys.executable, "-m", "this"], [sys.executable, "-m", "this"]),
    ],
)
def test_commands_of_this_environment_are_started_with_less(
    command: list[str], started: list[str]
) -> None:
    assert launch.line(command) == started


@pytest.mark.parametrize(
    ("content", "is_started_with_less"),
    [
        (b"#!/somewhere/python3\nprint()\n", True),
        (b"#!/bin/sh\n'''exec' /a/very/long/path/python3 \"$0\" \"$@\"\n' '''\n", True),
        (b"#!/bin/sh\necho\n", False),
        (b"\x7fELF", False),
    ],
)
def test_only_scripts_of_python_are_run_by_python(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    is_started_with_less: bool,
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    program = tmp_path / "program"
    program.write_bytes(content)
    assert (launch.line([str(program)]) != [str(program)]) == is_started_with_less


@pytest.mark.parametrize(
    "command", [launch.line([str(BIN / "jupyter"), "lab"]), lab.jupyter([])], ids=["serve", "lab"]
)
def test_jupyterlab_is_what_starts(command: list[str]) -> None:
    ran = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout.strip()) == (0, version("jupyterlab")), ran.stderr


def test_a_server_loads_nothing_unused_and_gets_its_arguments(tmp_path: Path) -> None:
    script = tmp_path / "server"
    script.write_text(
        "import sys, httpx, jsonschema, nbformat\n"
        "unused = ('rfc3987_syntax.', 'lark', 'rich', 'pygments')\n"
        "loaded = [name for name in sys.modules if name.startswith(unused)]\n"
        "print(__name__, sys.argv[1:], loaded)\n"
    )
    command = [*STARTED, str(script), "--port=1"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.stdout == "__main__ ['--port=1'] []\n", ran.stderr


@pytest.mark.parametrize(
    ("last", "status"),
    [("", 0), ("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit('words')", 1), ("1 / 0", 1)],
)
def test_a_thread_that_goes_on_holds_no_process_up(tmp_path: Path, last: str, status: int) -> None:
    script = tmp_path / "server"
    script.write_text(
        "import sys, threading\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        f"print('served', flush=True)\n{last}\n"
    )
    command = [*STARTED, str(script)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.stdout, ran.returncode) == ("served\n", status), ran.stderr
