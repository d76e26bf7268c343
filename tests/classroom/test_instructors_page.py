"""Each command of docs/instructors.md works as it stands there."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from labs_helpers.cli import main as cli
from labs_helpers.workbook import AS_COMMITTED
from tests.classroom.rooms import class_of, journal, quick, stuck

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "instructors.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
SERVES = {"--serve", "--listen"}
LONG = ("run --solve", "--catch-up", "handout --solutions")
"""Commands that take minutes for all labs: `make soak` runs them."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with homes in it, and with what a laptop sent."""
    folder = tmp_path_factory.mktemp("i")
    journal(class_of(folder / "home") / "alice" / ".labs", quick())
    journal(folder / "h", stuck())
    (folder / "room").mkdir()
    return folder


@pytest.fixture
def there(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The process is in that folder, with the environment of its instructor."""
    monkeypatch.chdir(place)
    for name, value in AS_COMMITTED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LABS_HOME", str(place / "h"))
    monkeypatch.setenv("LABS_CLASS", str(place / "class"))
    monkeypatch.setenv("LABS_WORKBOOK", str(place / "my-labs"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    return place


def words_of(command: str, place: Path) -> list[str]:
    first, *words = shlex.split(command.replace("/home", str(place / "home")))
    assert first == "labs"
    return words


def serves(words: list[str]) -> str:
    """The first line of a command that goes on until it is ended."""
    for option in SERVES.intersection(words):
        words[words.index(option) + 1] = "0"  # any free port
    command = [sys.executable, "-m", "labs_helpers.cli", *words]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            return process.stdout.readline()
        finally:
            process.terminate()


def listed(long: bool) -> list[str]:
    return [one for one in COMMANDS if any(part in one for part in LONG) is long]


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) > 15
    assert len(listed(long=True)) == len(LONG)


@pytest.mark.parametrize("command", listed(long=False))
def test_a_command_of_the_page_works(
    command: str,
    there: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())  # no terminal
    words = words_of(command, there)
    if SERVES.intersection(words):
        assert "http://127.0.0.1:" in serves(words)
        return
    code = cli.main(words)
    shown = capsys.readouterr()
    if command == "labs check 05":  # there is no sandbox in this place
        assert (code, "labs start" in shown.err) == (1, True)
    elif command.endswith("--reset alice"):  # which asks first
        assert (code, "If you mean it" in shown.err) == (1, True)
    else:
        assert code == 0, shown


@pytest.mark.soak
@pytest.mark.parametrize("command", listed(long=True))
def test_a_long_command_of_the_page_works(command: str, there: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "labs_helpers.cli", *words_of(command, there)],
        text=True,
        capture_output=True,
        timeout=1500,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    if "--catch-up" in command:
        assert "Done for you: 05.1" in ran.stdout
        assert (there / "home" / "alice" / ".labs" / "sandbox").is_dir()
