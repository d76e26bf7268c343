"""The second Dockerfile of the source text, for real: FROM ubuntu, RUN apt-get, CMD."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.debian_base import rootfs
from tests.engine.engine_room import Room, require, running

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NOTEBOOK = NOTEBOOKS / "06-build.ipynb"
DOCKERFILE = NOTEBOOKS / "files" / "06" / "Dockerfile.ubuntu"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """An engine whose ubuntu:latest is a Debian that apt works in."""
    require("docker")
    require("proot")
    folder = tmp_path_factory.mktemp("debian")
    context = folder / "context"
    context.mkdir()
    shutil.move(rootfs(folder), context / "rootfs.tar")
    (context / "Dockerfile").write_text("FROM scratch\nADD rootfs.tar /\n")
    with running(tmp_path_factory.mktemp("hub")) as found:
        assert found.docker("build", "-t", "ubuntu:latest", context).code == 0
        yield found


def test_apt_installs_nginx_and_nginx_runs(room: Room, tmp_path: Path) -> None:
    shutil.copy(DOCKERFILE, tmp_path / "Dockerfile")
    built = room.docker("build", "-t", "web", tmp_path)
    assert built.code == 0, built
    assert "Setting up nginx" in built.out
    (tmp_path / "Dockerfile").write_text("FROM web\nRUN nginx -t && nginx -v\nRUN dpkg -s nginx\n")
    asked = room.docker("build", tmp_path)
    assert "nginx.conf test is successful" in asked.out, asked
    assert "Status: install ok installed" in asked.out
    # the layer of apt-get is the second of two, and no larger than what it installed
    layers = room.docker("inspect", "-f", "{{len .RootFS.Layers}}", "web")
    assert layers.out == "2\n"
    history = room.docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", "web").lines
    assert history[0] == '/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"]'
    assert history[1] == "/bin/sh -c apt-get update && apt-get install -y nginx"


def test_a_command_that_fails_ends_docker_build_with_its_status(room: Room, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM ubuntu\nRUN apt-get install -y no-such-package\n")
    ended = room.docker("build", tmp_path)
    assert ended.code == 100
    assert "Unable to locate package no-such-package" in ended.out
    assert ended.err.endswith(
        "The command '/bin/sh -c apt-get install -y no-such-package'"
        " returned a non-zero code: 100\n"
    )


def test_the_small_run_that_lab_06_offers_runs(tmp_path: Path) -> None:
    for program in ("docker", "proot", "busybox"):
        require(program)
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    text = next(text for cell in cells if "Dockerfile.tiny" in (text := "".join(cell["source"])))
    lines = text.partition("busybox-static\n")[2].partition("```")[0].splitlines()
    *made, build = lines
    subprocess.run(["sh", "-ec", "\n".join(made)], cwd=tmp_path, check=True)
    assert build == "docker build -f Dockerfile.tiny ."
    (tmp_path / "home").mkdir()
    with running(tmp_path / "home") as room:
        built = room.docker("build", "-f", tmp_path / "Dockerfile.tiny", tmp_path)
    assert built.code == 0, built
    assert "\nmade by RUN\n" in built.out
