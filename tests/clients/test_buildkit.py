"""Whole builds by BuildKit in the daemon, with the front between it and buildx.

With Docker's older store and with containerd's, which keeps a manifest and attestations.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.engine.cli.command_line import GLOBAL, option_words
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.runtime.shims import Docker as Chosen
from labs_helpers.runtime.shims import place_docker
from labs_helpers.workspace import Workspace
from tests.clients import daemons
from tests.engine.engine_room import REGISTRY, Ended, Room, require, running

DEMO = f"{REGISTRY}/demo"


@pytest.fixture(scope="module")
def hub_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(params=["dockerd", "containerd"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def room(kind: str, hub_root: Path, request: pytest.FixtureRequest) -> Iterator[Room]:
    require("docker")
    address = request.getfixturevalue(kind)
    daemons.empty(address)
    with running(hub_root, address) as found:
        found.registry.create("demo")
        found.login()
        yield found


class Terminal:
    """A terminal of the labs: docker with the labs' plugin, which finds the real buildx."""

    def __init__(self, room: Room) -> None:
        workspace = Workspace(room.folder / "labs")
        workspace.create()
        installed = shutil.which("docker")
        assert installed
        place_docker(
            workspace,
            Chosen("installed", Path(installed), "the tests say so"),
            option_words(GLOBAL),
        )
        logins = (room.folder / "docker" / "config.json").read_bytes()
        (workspace.docker / "config.json").write_bytes(logins)
        _, plugin = daemons.current_docker()
        kept = {k: v for k, v in room.environment.items() if k != "DOCKER_BUILDKIT"}
        self.environment = kept | {
            "DOCKER_CONFIG": str(workspace.docker),
            "LABS_BUILDX": str(plugin),
            "BUILDKIT_PROGRESS": "plain",
            "PATH": f"{workspace.bin}{os.pathsep}{os.environ['PATH']}",
        }

    def docker(self, *words: str | Path, **more: str) -> Ended:
        done = subprocess.run(
            ["docker", *map(str, words)],
            executable=shutil.which("docker", path=self.environment["PATH"]),
            env=self.environment | more,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def terminal(room: Room) -> Terminal:
    return Terminal(room)


@pytest.fixture
def context(room: Room, tmp_path: Path) -> Path:
    """A context that begins with an image of the registry, which the daemon does not have."""
    room.docker("pull", "nginx:alpine")
    room.docker("tag", "nginx:alpine", f"{DEMO}:base")
    pushed = room.docker("push", f"{DEMO}:base")
    assert pushed.code == 0, pushed.err
    room.docker("rmi", "nginx:alpine", f"{DEMO}:base")
    (tmp_path / "Dockerfile").write_text(
        f"ARG TAG=base\nFROM {DEMO}:$TAG AS first\nFROM first\nCOPY --chmod=644 a /srv/a\n"
    )
    (tmp_path / "a").write_text("a\n")
    return tmp_path


def in_registry(room: Room, tag: str) -> manifests.Manifest:
    """What the registry has under a tag or digest."""
    accept = f"{media_types.DOCKER_MANIFEST}, {media_types.OCI_MANIFEST}, {media_types.OCI_INDEX}"
    reply = room.registry.send("GET", f"/v2/demo/manifests/{tag}", headers={"Accept": accept})
    assert reply.status == 200, reply
    return manifests.parse(reply.body, reply.headers["content-type"])


def shown(room: Room, name: str, template: str) -> str:
    return room.docker("inspect", "--format", template, name).out.strip()


def test_docker_build_is_the_classic_builder_s_all_the_same(
    terminal: Terminal, context: Path
) -> None:
    (context / "Dockerfile").write_text(f"FROM {DEMO}:base\nCOPY a /srv/a\n")
    ended = terminal.docker("build", "-t", "built:1", context)
    assert (ended.code, ended.err) == (0, "")
    assert "Step 1/2 : FROM" in ended.out


@pytest.mark.parametrize("words", [("buildx", "build", "--load"), ("build",)])
def test_it_begins_with_an_image_of_the_registry(
    terminal: Terminal, room: Room, context: Path, words: tuple[str, ...]
) -> None:
    ended = terminal.docker(*words, "-t", f"{DEMO}:v1", context, DOCKER_BUILDKIT="1")
    assert ended.code == 0, ended.err
    assert f"Pulling {DEMO}:base, which BuildKit does not reach" in ended.err
    assert "COPY --chmod=644 a /srv/a" in ended.err
    assert room.docker("push", f"{DEMO}:v1").code == 0
    again = terminal.docker(*words, "--pull", "-t", f"{DEMO}:v2", context, DOCKER_BUILDKIT="1")
    assert again.code == 0, again.err


def test_push_goes_through_the_front(terminal: Terminal, room: Room, context: Path) -> None:
    words = ("buildx", "build", "--push", "-t", f"{DEMO}:v1", "-t", f"{DEMO}:v2")
    ended = terminal.docker(*words, context)
    assert ended.code == 0, ended.err
    assert "v1: digest: sha256:" in ended.out
    assert in_registry(room, "v1").digest == in_registry(room, "v2").digest


@pytest.mark.parametrize("kind", ["containerd"])
def test_what_the_registry_has_is_what_the_daemon_keeps(
    terminal: Terminal, room: Room, context: Path
) -> None:
    ended = terminal.docker("buildx", "build", "-t", f"{DEMO}:v1", context)
    assert ended.code == 0, ended.err
    pushed = room.docker("push", f"{DEMO}:v1")
    assert pushed.code == 0, pushed.err
    index = in_registry(room, "v1")
    # the image, and its provenance beside it
    assert index.media_type == media_types.OCI_INDEX
    assert [entry.platform and entry.platform["architecture"] for entry in index.manifests] == [
        "amd64",
        "unknown",
    ]
    assert shown(room, f"{DEMO}:v1", "{{.Id}}") == index.digest
    provenance = in_registry(room, index.manifests[1].digest)
    assert [layer.media_type for layer in provenance.layers] == ["application/vnd.in-toto+json"]

    room.docker("tag", f"{DEMO}:v1", f"{DEMO}:v2")
    sent = len(room.requests)
    second = room.docker("push", f"{DEMO}:v2")
    assert second.code == 0, second.err
    assert second.lines[-1].split()[2] == index.digest
    assert not [line for line in room.requests[sent:] if line.startswith("PATCH")]


def test_an_image_of_buildkit_runs_when_it_was_pushed_and_pulled(
    terminal: Terminal, room: Room, tmp_path: Path
) -> None:
    require("busybox")
    found = subprocess.run(["which", "busybox"], capture_output=True, text=True, check=True)
    (tmp_path / "busybox").write_bytes(Path(found.stdout.strip()).read_bytes())
    (tmp_path / "Dockerfile").write_text(
        'FROM scratch\nCOPY --chmod=755 busybox /bin/\nENTRYPOINT ["/bin/busybox"]\n'
    )
    name = f"{DEMO}:busybox"
    for words in (
        ("buildx", "build", "--push", "-t", name, str(tmp_path)),
        ("rmi", name),
        ("pull", name),
    ):
        ended = terminal.docker(*words)
        assert ended.code == 0, ended.err
    ran = terminal.docker("run", "--network=none", name, "echo", "hello")
    assert (ran.code, ran.out) == (0, "hello\n"), ran.err


def test_a_base_that_is_not_there_is_named(terminal: Terminal, context: Path) -> None:
    (context / "Dockerfile").write_text(f"FROM {DEMO}:nope\n")
    ended = terminal.docker("buildx", "build", context)
    assert ended.code == 1
    assert f"manifest for {DEMO}:nope not found: manifest unknown" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--push",), "--push: name what to push with --tag"),
        (("--output", "type=registry", "-t", f"{DEMO}:v1"), "use --push"),
        (("--builder", "other"), "the builder other does not reach the sandbox's registries"),
        (("--no-such-flag",), "unknown flag: --no-such-flag"),
    ],
)
def test_what_cannot_be_is_said(
    terminal: Terminal, context: Path, words: tuple[str, ...], said: str
) -> None:
    ended = terminal.docker("buildx", "build", *words, context)
    assert ended.code != 0
    assert said in ended.err


def test_a_manifest_is_shown_by_way_of_the_labs(
    terminal: Terminal, room: Room, context: Path
) -> None:
    ended = terminal.docker("manifest", "inspect", f"{DEMO}:base")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out) == json.loads(in_registry(room, "base").body)
    for words in (("create", f"{DEMO}:list", f"{DEMO}:base"), ("push", f"{DEMO}:list")):
        refused = terminal.docker("manifest", *words)
        assert refused.code == 1
        assert "aws ecr put-image" in refused.err
    asked = terminal.docker("buildx", "imagetools", "inspect", f"{DEMO}:base")
    assert asked.code == 1
    assert asked.err.endswith(f"docker manifest inspect {DEMO}:base\n")


def test_the_rest_of_buildx_is_the_real_one(terminal: Terminal) -> None:
    ended = terminal.docker("buildx", "version")
    assert (ended.code, ended.out.startswith("github.com/docker/buildx")) == (0, True), ended.err


def test_without_buildx_it_says_how_to_get_it(terminal: Terminal) -> None:
    ended = terminal.docker("buildx", "ls", LABS_BUILDX="no-such-command")
    assert ended.err == "LABS_BUILDX names no-such-command, which is not a command\n"
    assert ended.code == 1
