"""The real `docker` in a labs terminal: a build, without a word about builders."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers import servers
from labs_helpers.modes import environment
from labs_helpers.workspace import Workspace

FILES = Path(__file__).parents[2] / "notebooks" / "files" / "06"


@pytest.fixture(scope="module")
def terminal() -> Iterator[dict[str, str]]:
    """The environment of a labs terminal on a machine that has docker."""
    if shutil.which("docker") is None:
        if os.environ.get("LABS_REQUIRE_CLIENTS"):
            pytest.fail("docker is not installed, and LABS_REQUIRE_CLIENTS asks for every client")
        pytest.skip("docker is not installed")
    # short, for the engine's socket
    with tempfile.TemporaryDirectory(prefix="dock", dir="/tmp") as folder:
        given = os.environ | {"LABS_HOME": f"{folder}/labs", "LABS_DOCKER": "auto"}
        workspace = Workspace.find(given)
        port = servers.start(workspace, environ=given).sandbox.port
        yield environment(workspace, port, given).applied(given)
        servers.stop(workspace)


def docker(terminal: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["docker", *words], env=terminal, cwd=FILES, capture_output=True, text=True
    )


def test_a_build_says_its_steps_and_nothing_of_builders(terminal: dict[str, str]) -> None:
    ran = docker(terminal, "build", "-t", "demo-app", ".")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Step 1/3 : FROM nginx:alpine" in ran.stdout
    assert "Successfully tagged demo-app:latest" in ran.stdout


def test_what_buildx_has_beyond_a_build_is_refused_by_name(terminal: dict[str, str]) -> None:
    ran = docker(terminal, "buildx", "imagetools", "inspect", "nginx")
    assert ran.returncode != 0
    assert "docker buildx imagetools" in ran.stderr
