"""The choice of an engine, from the daemons that answer and from LABS_ENGINE."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.engine import choice as choices
from labs_helpers.engine.choice import Choice, choose
from labs_helpers.engine.front import discovery
from labs_helpers.files import LabsError
from labs_helpers.workspace import Workspace

from .fake_daemon import VERSION, document, read_head

PODMAN = {**VERSION, "Components": [{"Name": "Podman Engine"}], "Version": "4.3.1"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A home with a short path, because the path of a socket must be short."""
    found = Path(tempfile.mkdtemp(prefix="labs"))
    yield found
    shutil.rmtree(found)


@pytest.fixture(autouse=True)
def only_the_home_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore a daemon that the machine of the tests may have."""
    monkeypatch.setattr(discovery.candidates, "__defaults__", ((),))


@contextmanager
def listening(path: Path, answer: bytes) -> Iterator[None]:
    """Listen on a socket, and give the same answer to every request."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                read_head(connection)
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        path.unlink(missing_ok=True)


def chosen(folder: Path, **environ: str) -> Choice:
    return choose(Workspace(folder / "labs"), {"HOME": str(folder), **environ})


def said(version: dict[str, Any]) -> bytes:
    return document(200, version)


def test_without_a_daemon_it_is_the_labs_own(folder: Path) -> None:
    found = chosen(folder)
    assert (found.kind, found.why) == ("embedded", "no Docker or Podman runs on this machine")
    assert found.description == "the labs' own: no Docker daemon is needed"


@pytest.mark.parametrize(
    "place",
    [
        ".docker/run/docker.sock",
        ".docker/desktop/docker.sock",
        ".colima/default/docker.sock",
        ".orbstack/run/docker.sock",
        ".rd/docker.sock",
    ],
)
def test_a_daemon_in_the_home_is_found(folder: Path, place: str) -> None:
    with listening(folder / place, said(VERSION)):
        found = chosen(folder)
    assert found == Choice(
        "docker", f"it answers at unix://{folder}/{place}", f"unix://{folder}/{place}", "99.0"
    )
    assert found.description == (
        "Docker 99.0, which runs on this machine; its pushes to and pulls from the registry go"
        " through the labs"
    )


def test_the_runtime_folder_has_rootless_ones(folder: Path) -> None:
    with listening(folder / "run/podman/podman.sock", said(PODMAN)):
        found = chosen(folder, XDG_RUNTIME_DIR=str(folder / "run"))
    assert (found.kind, found.version) == ("podman", "4.3.1")


def test_who_names_a_daemon_means_no_other(folder: Path) -> None:
    with listening(folder / ".docker/run/docker.sock", said(VERSION)):
        found = chosen(folder, DOCKER_HOST=f"unix://{folder}/nowhere")
    assert found.kind == "embedded"
    assert found.why == (
        f"no Docker or Podman answers (unix://{folder}/nowhere: No such file or directory)"
    )


def test_the_labs_own_socket_is_no_daemon(folder: Path) -> None:
    with listening(folder / ".docker/run/docker.sock", said(VERSION)):
        ours = f"unix://{folder}/labs/engine/docker.sock"
        assert chosen(folder, DOCKER_HOST=ours).kind == "docker"
        theirs = f"unix://{folder}/.docker/run/docker.sock"
        assert chosen(folder, DOCKER_HOST=ours, LABS_DOCKER_HOST=theirs).address == theirs


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ({**VERSION, "ApiVersion": "1.23"}, "its API is 1.23, and the labs need 1.24 or newer"),
        ({**VERSION, "ApiVersion": "new"}, "its API version is 'new'"),
        (
            {**VERSION, "Platform": {"Name": "Labs engine: builds"}},
            "it is a labs' engine without a daemon",
        ),
    ],
)
def test_what_would_not_do_is_passed_over_with_a_reason(
    folder: Path, version: dict[str, Any], why: str
) -> None:
    with listening(folder / ".docker/run/docker.sock", said(version)):
        found = chosen(folder)
    assert found.kind == "embedded"
    assert why in found.why


@pytest.mark.parametrize("answer", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n[1]"])
def test_what_is_no_daemon_at_all(folder: Path, answer: bytes) -> None:
    with listening(folder / ".docker/run/docker.sock", answer):
        assert chosen(folder).kind == "embedded"


def test_a_daemon_that_hangs_is_not_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery.probe, "__defaults__", (0.05,))
    path = folder / ".docker/run/docker.sock"
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(path))
        silent.listen()
        found = chosen(folder)
    assert found.kind == "embedded"
    assert "timed out" in found.why


def test_embedded_looks_for_nothing(folder: Path) -> None:
    with listening(folder / ".docker/run/docker.sock", said(VERSION)):
        found = chosen(folder, LABS_ENGINE="embedded")
    assert (found.kind, found.why) == ("embedded", "LABS_ENGINE=embedded")


def test_podman_is_insisted_on_where_docker_answers_too(folder: Path) -> None:
    with (
        listening(folder / ".docker/run/docker.sock", said(VERSION)),
        listening(folder / "run/podman/podman.sock", said(PODMAN)),
    ):
        where = {"XDG_RUNTIME_DIR": str(folder / "run")}
        assert chosen(folder, LABS_ENGINE="podman", **where).kind == "podman"
        assert chosen(folder, LABS_ENGINE="docker", **where).kind == "docker"


def test_what_is_insisted_on_and_not_there_says_what_was_tried(folder: Path) -> None:
    with (
        listening(folder / ".docker/run/docker.sock", said(VERSION)),
        pytest.raises(LabsError) as caught,
    ):
        chosen(folder, LABS_ENGINE="podman")
    assert str(caught.value) == (
        "LABS_ENGINE is podman, and no Podman answers.\nTried:\n"
        f"  unix://{folder}/.docker/run/docker.sock: it is Docker 99.0\n"
        "Start it (podman system service --time=0), or name its socket:"
        " export DOCKER_HOST=unix:///path/of/the.sock\n"
        "Or take the labs' own engine, which needs none: export LABS_ENGINE=embedded"
    )


def test_a_wrong_value_names_the_right_ones(folder: Path) -> None:
    with pytest.raises(LabsError, match=r"It can be auto .*, embedded .*, docker or podman"):
        chosen(folder, LABS_ENGINE="dockre")


def test_the_choice_may_be_remembered(folder: Path) -> None:
    workspace = Workspace(folder / "labs").create()
    workspace.remember(engine="embedded")
    assert choices.requested_kind(workspace, {}) == "embedded"
    assert choices.requested_kind(workspace, {"LABS_ENGINE": "auto"}) == "auto"


def test_an_address_over_ssh_says_how_to_forward_it(folder: Path) -> None:
    with pytest.raises(
        LabsError, match=r"ssh -nNT -L /tmp/docker\.sock:/var/run/docker\.sock me@far"
    ):
        chosen(folder, LABS_ENGINE="docker", DOCKER_HOST="ssh://me@far")


def test_config_json_of_docker_is_not_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = folder / ".docker/config.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"currentContext": "poison"}))
    settings.chmod(0)
    opened: list[str] = []
    monkeypatch.setattr("builtins.open", lambda name, *_: opened.append(str(name)))
    assert chosen(folder, LABS_ENGINE="auto").kind == "embedded"
    assert opened == []
