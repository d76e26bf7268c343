"""The pinned versions have wheels for every system that README names, but for Macs with Intel.

`make soak` asks the registry for them, for systems that are not here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.test_environment import pins

ROOT = Path(__file__).parents[2]
LOCK = "requirements.lock"
SYSTEMS = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "aarch64-apple-darwin",
)
INTEL = {"argon2-cffi-bindings", "cryptography", "lazy-object-proxy"}
"""What pip builds on a Mac with an Intel processor; README says how many these are."""


def resolved(system: str, python: str, built: set[str], tmp_path: Path) -> str:
    """What uv says of an installation for another system, of wheels but for ``built``."""
    wheels = [f"--only-binary={name}" for name in pins(LOCK) if name not in built]
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "pip", "install", "--dry-run", "--no-deps", "--target", tmp_path, "-r", LOCK]
    command += ["--python-platform", system, "--python-version", python, *wheels]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    return "" if ran.returncode == 0 else ran.stderr


@pytest.mark.soak
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_package_has_a_wheel(system: str, python: str, tmp_path: Path) -> None:
    assert resolved(system, python, set(), tmp_path) == ""


@pytest.mark.soak
def test_what_has_none_for_a_mac_with_intel_is_what_readme_counts(tmp_path: Path) -> None:
    system = "x86_64-apple-darwin"
    assert resolved(system, "3.12", INTEL, tmp_path) == ""
    for name in INTEL:
        said = resolved(system, "3.12", INTEL - {name}, tmp_path)
        assert re.search(rf"{name}==\S+ has no usable wheels", said), said
    assert "three packages have no wheel" in (ROOT / "README.md").read_text()
