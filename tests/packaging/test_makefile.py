"""`make` on a machine that lacks something says what, and how to have it."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TOO_OLD = """#!/bin/sh
case "$*" in *version_info*) exit 1;; --version) echo "Python 3.9.2";; esac
"""
WITHOUT_VENV = """#!/bin/sh
case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac
"""


def make(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run make for the environment, with only `tmp_path/bin` and the system's own tools."""
    return subprocess.run(
        ["make", f"VENV={tmp_path}/venv", *arguments, f"{tmp_path}/venv/.made"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Where a python that is not one is put; every name that make tries leads to it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for version in ("", ".11", ".12", ".13", ".14"):
        (folder / f"python3{version}").symlink_to(folder / "fake")
    return folder / "fake"


def test_a_python_that_is_too_old_is_named(tmp_path: Path, python: Path) -> None:
    python.write_text(TOO_OLD)
    python.chmod(0o755)
    ran = make(tmp_path)
    assert ran.returncode != 0
    assert "The labs need Python 3.11 or newer" in ran.stdout
    assert "Python 3.9.2" in ran.stdout
    assert "sudo apt install python3 python3-venv" in ran.stdout


@pytest.mark.parametrize("there", [True, False])
def test_a_python_that_was_named_is_not_believed(tmp_path: Path, python: Path, there: bool) -> None:
    if there:
        python.write_text(TOO_OLD)
        python.chmod(0o755)
    ran = make(tmp_path, f"PYTHON={python}")
    assert ran.returncode != 0
    assert f"PYTHON={python} is no Python 3.11 or newer" in ran.stdout
    assert ("Python 3.9.2" in ran.stdout) == there
    assert not (tmp_path / "venv").exists()


def test_a_missing_venv_package_is_named(tmp_path: Path, python: Path) -> None:
    python.write_text(WITHOUT_VENV)
    python.chmod(0o755)
    ran = make(tmp_path)
    assert ran.returncode != 0
    assert "its venv package is missing" in ran.stdout
    assert "sudo apt install python3-venv" in ran.stdout
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(("system", "said"), [("Darwin x86_64", True), ("Darwin arm64", False)])
def test_a_mac_for_which_packages_have_no_wheel_is_told_what_to_install(
    tmp_path: Path, python: Path, system: str, said: bool
) -> None:
    python.write_text("#!/bin/sh\n")
    uname = tmp_path / "bin" / "uname"
    uname.write_text(f"#!/bin/sh\necho {system}\n")
    for program in (python, uname):
        program.chmod(0o755)
    ran = make(tmp_path)
    assert "Making the environment" in ran.stdout
    assert ("Rust" in ran.stdout) == said


def test_help_names_every_target_that_the_readme_names() -> None:
    ran = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("make lab", "make test", "make notebooks"):
        assert target in ran.stdout
