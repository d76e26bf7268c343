"""The real `docker` in a labs terminal: a build, without a word about builders."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers import servers
from labs_helpers.engine.cli import buildx
from labs_helpers.modes import environment
from labs_helpers.runtime.shims import NOT_RUNNING
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


def test_a_build_makes_one_manifest_without_attestations(
    terminal: dict[str, str], tmp_path: Path
) -> None:
    docker(terminal, "build", "-q", "-t", "demo-app", ".")
    docker(terminal, "save", "-o", str(tmp_path / "image.tar"), "demo-app")
    with tarfile.open(tmp_path / "image.tar") as saved:
        assert len(json.load(saved.extractfile("manifest.json"))) == 1  # type: ignore[arg-type]
    refused = docker(terminal, "build", "--provenance=mode=min", ".")
    assert refused.returncode != 0
    assert "provenance" in refused.stderr


def test_the_id_of_an_image_is_the_digest_of_its_config(
    terminal: dict[str, str], tmp_path: Path
) -> None:
    image = docker(terminal, "build", "-q", "-t", "demo-app", ".").stdout.strip()
    docker(terminal, "save", "-o", str(tmp_path / "image.tar"), "demo-app")
    with tarfile.open(tmp_path / "image.tar") as saved:
        (entry,) = json.load(saved.extractfile("manifest.json"))  # type: ignore[arg-type]
        config = saved.extractfile(entry["Config"]).read()  # type: ignore[union-attr]
    assert image == f"sha256:{hashlib.sha256(config).hexdigest()}"


def test_a_stopped_engine_is_said_at_once(terminal: dict[str, str]) -> None:
    socket = Path(terminal["DOCKER_HOST"].removeprefix("unix://"))
    aside = socket.rename(socket.with_name("aside"))
    try:
        ran = docker(terminal, "images")
    finally:
        aside.rename(socket)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"{NOT_RUNNING}\nCannot connect to the Docker daemon")


@pytest.mark.parametrize(
    "options",
    [
        ["-D"],
        ["-c", "default"],
        ["--log-level", "debug"],
        ["-Dl", "debug"],
        ["--host", "{DOCKER_HOST}"],
        ["-H={DOCKER_HOST}", "--config={DOCKER_CONFIG}"],
        ["--config", "{DOCKER_CONFIG}"],
    ],
)
def test_options_of_docker_itself_come_before_a_build(
    terminal: dict[str, str], options: list[str]
) -> None:
    given = [option.format(**terminal) for option in options]
    for words in (["build"], ["buildx", "build"]):
        ran = docker(terminal, *given, *words, "-t", "demo-app", ".")
        assert ran.returncode == 0, ran.stderr
        assert "Successfully tagged demo-app:latest" in ran.stdout


def test_a_host_among_the_options_is_the_one_that_builds(terminal: dict[str, str]) -> None:
    ran = docker(terminal, "--host", "unix:///tmp/nobody.sock", "build", ".")
    assert ran.returncode == 1
    assert "failed to connect to the docker API at unix:///tmp/nobody.sock; " in ran.stderr
    ran = docker(terminal, "-c", "elsewhere", "build", ".")
    assert ran.returncode == 1
    assert 'context "elsewhere": context not found' in ran.stderr


def test_help_of_a_build_is_the_classic_builder_s(terminal: dict[str, str]) -> None:
    for words in (["build", "--help"], ["--help", "build"], ["-Dh", "build"]):
        ran = docker(terminal, *words)
        assert ran.returncode == 0
        assert "Usage:  docker build [OPTIONS] PATH" in ran.stdout


@pytest.mark.parametrize(
    ("words", "handed"),
    [
        ("-D buildx ls", "-D buildx ls"),
        ("buildx --builder b ls", "buildx --builder b ls"),
        ("--log-level debug buildx build --help", "--log-level debug buildx build --help"),
        ("-c default buildx", "-c default buildx"),
        ("-D help buildx", "-D buildx --help"),
    ],
)
def test_buildx_is_given_the_options_as_docker_gives_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, handed: str
) -> None:
    plugin = tmp_path / "docker-buildx"
    plugin.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/handed\n')
    plugin.chmod(0o755)
    monkeypatch.setattr(buildx, "_in_front_of_a_daemon", lambda: True)
    # docker puts its own options first, and leaves the rest as it is
    assert buildx.main(words.split(), {"LABS_BUILDX": str(plugin)}) == 0
    assert (tmp_path / "handed").read_text() == f"{handed}\n"


def test_what_buildx_has_beyond_a_build_is_refused_by_name(terminal: dict[str, str]) -> None:
    ran = docker(terminal, "buildx", "imagetools", "inspect", "nginx")
    assert ran.returncode != 0
    assert "docker buildx imagetools" in ran.stderr
