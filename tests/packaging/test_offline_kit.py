"""`make wheels` here, `make install` on a machine without internet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.soak  # downloads 160 packages, and installs them
def test_the_labs_install_from_the_kit_without_a_network(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("only root may take the network away")
    project = tmp_path / "labs"
    ignored = shutil.ignore_patterns(".git", ".venv", ".labs", "my-labs", "dist", ".*_cache")
    shutil.copytree(ROOT, project, ignore=ignored)
    python = f"PYTHON={sys.executable}"
    kit = Path(os.environ.get("LABS_TEST_WHEELS", project / "dist" / "wheels"))
    if "LABS_TEST_WHEELS" not in os.environ:
        subprocess.run(["make", "-C", project, "wheels", python], check=True, timeout=1800)
        assert (kit / "PLATFORM").read_text().split()[1:] == [sys.version.split()[0]]
        shutil.rmtree(project / ".venv")
    without = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    alone = ["unshare", "--net"]
    routes = subprocess.run([*alone, "ip", "route"], capture_output=True, text=True, check=True)
    assert routes.stdout == ""
    install = ["make", "-C", project, "install", python, f"WHEELS={kit}"]
    subprocess.run(
        [*alone, *install], check=True, timeout=1200, env={**without, "PIP_CONFIG_FILE": os.devnull}
    )
    labs = project / ".venv" / "bin" / "labs"
    environ = {**without, "LABS_HOME": str(tmp_path / "h"), "LABS_ENGINE": "embedded"}
    # loopback is down in a namespace that has just been made
    script = f"ip link set lo up && {labs} start && {labs} stop"
    said = subprocess.run(
        [*alone, "sh", "-c", script], capture_output=True, text=True, env=environ, timeout=300
    )
    assert said.returncode == 0, said.stderr
    assert "The sandbox runs at" in said.stdout
    compiled = project / "labs_helpers" / "__pycache__"
    assert list(compiled.glob("workspace.*.pyc"))
