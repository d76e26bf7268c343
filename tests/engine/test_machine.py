"""What the machine allows is said in words: by the engine, by `labs doctor`, and on macOS."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest

from labs_helpers.cli import main as cli
from labs_helpers.engine import machine
from labs_helpers.engine.choice import EMBEDDED, Choice
from labs_helpers.engine.process import note
from labs_helpers.workspace import Workspace
from tests.engine.containers.conftest import load_box, own_engine


def test_on_macos_containers_are_refused_in_words_that_name_docker_desktop_and_the_front(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    found = machine.isolation(tmp_path)
    assert (found.kind, found.has_namespaces) == (machine.NONE, False)
    assert "containers need Linux" in found.sentence
    assert "Docker Desktop" in found.sentence
    assert "in front of a Docker" in found.sentence
    assert machine.users() is None


def test_an_engine_that_can_run_no_container_says_so_at_each_door(tmp_path: Path) -> None:
    with own_engine(tmp_path, LABS_ISOLATION="none") as socket:
        client: Any = docker.DockerClient(base_url=f"unix://{socket}")
        load_box(client)
        (warning,) = client.info()["Warnings"]
        assert "no container can run" in warning
        running: Any = SimpleNamespace(choice=Choice(EMBEDDED, ""))
        assert f"WARNING: {note(running, socket)}" == warning  # what the card of a lab says
        with pytest.raises(docker.errors.APIError, match="no container can run: this machine"):
            client.containers.create("box", ["true"])
        client.close()


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        (machine.NAMESPACES, "ok", "namespaces of their own"),
        (machine.PROOT, "warning", "run under PRoot"),
        (machine.NONE, "warning", "no container can run"),
    ],
)
def test_the_doctor_says_how_containers_run(
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    state: str,
    words: str,
) -> None:
    monkeypatch.setenv("LABS_ENGINE", "embedded")
    monkeypatch.setattr(
        "labs_helpers.engine.process.isolation_of", lambda folder: machine.Isolation(kind)
    )
    cli.main(["doctor", "--json"])
    found = {need["name"]: need for need in json.loads(capsys.readouterr().out)}
    assert found["containers"]["state"] == state
    assert words in found["containers"]["found"]
