"""The real docker command against the labs engine and the sandbox's registry."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.engine_room import REGISTRY, Room, require, running


@pytest.fixture(scope="module")
def hub_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture
def room(hub_root: Path) -> Iterator[Room]:
    require("docker")
    with running(hub_root) as found:
        yield found


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text(
        "FROM nginx:alpine\nLABEL maintainer=learner@example.com\nCOPY index.html /srv/\n"
    )
    (folder / "index.html").write_text("hello\n")
    return folder


class TestEngine:
    def test_version_says_what_the_engine_is_and_is_not(self, room: Room) -> None:
        ended = room.docker("version")
        assert ended.code == 0
        assert "Server: Labs engine: images and containers, without a daemon" in (ended.lines)

    def test_info_warns_of_nothing(self, room: Room) -> None:
        ended = room.docker("info")
        assert (ended.code, ended.err) == (0, "")
        assert "Engine: labs: images and containers, without a daemon" in ended.out

    def test_at_first_there_are_no_containers_networks_or_volumes(self, room: Room) -> None:
        for command in (["ps", "-aq"], ["network", "ls", "-q"], ["volume", "ls", "-q"]):
            ended = room.docker(*command)
            assert (ended.code, ended.out) == (0, "")


class TestLogin:
    def test_a_token_logs_in(self, room: Room) -> None:
        ended = room.docker(
            *("login", "--username", "AWS", "--password-stdin", REGISTRY),
            given=room.registry.token.encode(),
        )
        assert (ended.code, ended.out.strip()) == (0, "Login Succeeded")

    def test_a_wrong_password_is_refused_in_dockers_words(self, room: Room) -> None:
        ended = room.docker(
            *("login", "--username", "AWS", "--password-stdin", REGISTRY), given=b"wrong"
        )
        assert ended.code == 1
        assert re.search(
            rf"Error response from daemon: login attempt to https://{REGISTRY}/v2/"
            r" failed with status: 40\d ",
            ended.err,
        )

    def test_an_expired_token_is_refused(self, room: Room) -> None:
        room.login()
        room.registry.create("demo")
        room.docker("pull", "nginx:alpine")
        room.docker("tag", "nginx:alpine", f"{REGISTRY}/demo")
        room.registry.clock.advance(timedelta(hours=13))
        ended = room.docker("push", f"{REGISTRY}/demo")
        assert ended.code == 1
        assert ended.err.strip() == (
            "denied: Your authorization token has expired. Reauthenticate and try again."
        )


class TestPush:
    def test_push_without_login_says_so(self, room: Room) -> None:
        room.docker("pull", "nginx:alpine")
        room.docker("tag", "nginx:alpine", f"{REGISTRY}/demo:v1")
        ended = room.docker("push", f"{REGISTRY}/demo:v1")
        assert (ended.code, ended.err.strip()) == (1, "no basic auth credentials")
        assert ended.lines[0] == f"The push refers to repository [{REGISTRY}/demo]"

    def test_push_to_a_repository_that_does_not_exist(self, room: Room) -> None:
        room.login()
        room.docker("pull", "nginx:alpine")
        room.docker("tag", "nginx:alpine", f"{REGISTRY}/demo")
        ended = room.docker("push", f"{REGISTRY}/demo")
        assert ended.err.strip() == (
            "name unknown: The repository with name 'demo' does not exist in the registry"
            " with id '123456789012'"
        )

    def test_push_of_an_image_that_is_not_here(self, room: Room) -> None:
        ended = room.docker("push", f"{REGISTRY}/demo")
        assert ended.err.strip() == (
            f"An image does not exist locally with the tag: {REGISTRY}/demo"
        )

    def test_what_is_built_is_pushed_once_and_comes_back_the_same(
        self, room: Room, context: Path
    ) -> None:
        name = f"{REGISTRY}/demo:v1"
        room.login()
        room.registry.create("demo")
        assert room.docker("build", "-t", name, context).code == 0
        built = json.loads(room.docker("inspect", name).out)[0]

        first = room.docker("push", name)
        assert first.code == 0, first.err
        layers = [layer.removeprefix("sha256:")[:12] for layer in built["RootFS"]["Layers"]]
        layers.reverse()
        assert first.lines[1:-1] == (
            [f"{layer}: Preparing" for layer in layers]
            + [f"{layer}: Waiting" for layer in layers[5:]]
            + [f"{layer}: Pushed" for layer in layers]
        )
        assert re.fullmatch(r"v1: digest: sha256:[0-9a-f]{64} size: \d+", first.lines[-1])

        second = room.docker("push", name)
        assert second.lines[-1] == first.lines[-1]
        assert sum("Layer already exists" in line for line in second.lines) == len(layers)

        room.docker("rmi", "-f", built["Id"])
        pulled = room.docker("pull", name)
        assert pulled.code == 0, pulled.err
        assert pulled.lines[0] == "v1: Pulling from demo"
        assert pulled.lines[-2] == f"Status: Downloaded newer image for {name}"
        assert pulled.lines[-3] == f"Digest: {first.lines[-1].split()[2]}"
        again = json.loads(room.docker("inspect", name).out)[0]
        assert again["Id"] == built["Id"]
        assert again["RepoDigests"] == [f"{REGISTRY}/demo@{first.lines[-1].split()[2]}"]

    def test_layers_are_mounted_from_another_repository(self, room: Room) -> None:
        room.login()
        room.docker("pull", "nginx:alpine")
        for repository in ("one", "two"):
            room.registry.create(repository)
            room.docker("tag", "nginx:alpine", f"{REGISTRY}/{repository}")
            ended = room.docker("push", f"{REGISTRY}/{repository}")
            assert ended.code == 0, ended.err
        states = {line.split(": ", 1)[1] for line in ended.lines[2:-1]}
        assert states in ({"Preparing", "Mounted from one"}, {"Preparing", "Pushed"})

    def test_every_tag_is_pushed_with_a_flag(self, room: Room) -> None:
        room.login()
        room.registry.create("demo")
        room.docker("pull", "nginx:alpine")
        for tag in ("a", "b"):
            room.docker("tag", "nginx:alpine", f"{REGISTRY}/demo:{tag}")
        ended = room.docker("push", "--all-tags", f"{REGISTRY}/demo")
        digests = [line.split(": ", 1)[1] for line in ended.lines if ": digest:" in line]
        assert len(digests) == 2
        assert len(set(digests)) == 1


class TestPull:
    def test_the_second_pull_finds_it_up_to_date(self, room: Room) -> None:
        assert room.docker("pull", "nginx:alpine").lines[0] == "alpine: Pulling from library/nginx"
        ended = room.docker("pull", "nginx:alpine")
        assert ended.lines[-2:] == [
            "Status: Image is up to date for nginx:alpine",
            "docker.io/library/nginx:alpine",
        ]

    def test_a_pull_by_digest(self, room: Room) -> None:
        found = room.docker("pull", "nginx:alpine").lines[-3].removeprefix("Digest: ")
        ended = room.docker("pull", f"nginx@{found}")
        assert ended.code == 0, ended.err
        assert ended.lines[0] == f"{found}: Pulling from library/nginx"

    def test_a_tag_that_does_not_exist(self, room: Room) -> None:
        room.login()
        room.registry.create("demo")
        ended = room.docker("pull", f"{REGISTRY}/demo:nope")
        assert ended.code == 1
        assert ended.err.startswith(
            f"Error response from daemon: manifest for {REGISTRY}/demo:nope not found:"
            " manifest unknown: "
        )

    def test_a_pull_without_login_names_the_request(self, room: Room) -> None:
        ended = room.docker("pull", f"{REGISTRY}/demo:v1")
        assert ended.err.strip() == (
            f'Error response from daemon: Head "https://{REGISTRY}/v2/demo/manifests/v1":'
            " no basic auth credentials"
        )

    def test_a_registry_the_sandbox_does_not_serve_is_not_tried(self, room: Room) -> None:
        ended = room.docker("pull", "quay.io/podman/hello")
        assert ended.err.strip() == (
            "Error response from daemon: the sandbox is offline:"
            " registry quay.io is not one it serves"
        )


class TestImages:
    def test_images_inspect_history_and_tag(self, room: Room, context: Path) -> None:
        assert room.docker("build", "-t", "demo-app", context).code == 0
        assert room.docker("tag", "demo-app", "demo-app:v2").code == 0
        listed = room.docker("images", "--format", "{{.Repository}}:{{.Tag}}", "demo-app")
        assert listed.lines == ["demo-app:latest", "demo-app:v2"]
        history = room.docker(
            "history", "--no-trunc", "--format", "{{.CreatedBy}}", "demo-app"
        ).lines
        assert "COPY" in history[0]
        assert "LABEL maintainer=learner@example.com" in history[1]
        sizes = room.docker("history", "--format", "{{.Size}}", "demo-app").lines
        assert sizes[:2] == ["6B", "0B"]
        label = room.docker(
            "inspect", "--format", '{{index .Config.Labels "maintainer"}}', "demo-app"
        )
        assert label.out == "learner@example.com\n"

    def test_the_same_context_gives_the_same_image(self, room: Room, context: Path) -> None:
        first = room.docker("build", "-q", context).out
        room.docker("rmi", first.strip())
        (context / "index.html").touch()
        assert room.docker("build", "-q", context).out == first

    def test_rmi_untags_then_deletes(self, room: Room) -> None:
        room.docker("pull", "nginx:alpine")
        room.docker("tag", "nginx:alpine", "mine:1")
        assert room.docker("rmi", "mine:1").lines == ["Untagged: mine:1"]
        ended = room.docker("rmi", "nginx:alpine")
        assert ended.lines[0] == "Untagged: nginx:alpine"
        assert ended.lines[1].startswith("Untagged: nginx@sha256:")
        assert all(line.startswith("Deleted: sha256:") for line in ended.lines[2:])
        assert room.docker("images", "-aq").out == ""

    def test_an_image_in_two_repositories_is_not_removed_by_id(self, room: Room) -> None:
        room.docker("pull", "nginx:alpine")
        room.docker("tag", "nginx:alpine", "mine:1")
        image = room.docker("images", "-q", "mine").out.strip()
        ended = room.docker("rmi", image)
        assert ended.err.strip() == (
            f"Error response from daemon: conflict: unable to delete {image} (must be forced)"
            " - image is referenced in multiple repositories"
        )
        assert room.docker("rmi", "-f", image).code == 0

    def test_what_is_not_there(self, room: Room) -> None:
        said = {
            ("rmi", "nope"): "Error response from daemon: No such image: nope:latest",
            ("tag", "nope", "x"): "Error response from daemon: No such image: nope:latest",
            ("history", "nope"): "Error response from daemon: No such image: nope:latest",
            ("image", "inspect", "nope"): "Error response from daemon: No such image: nope:latest",
            ("inspect", "nope"): "Error: No such object: nope",
        }
        for command, message in said.items():
            ended = room.docker(*command)
            assert (ended.code, ended.err.strip()) == (1, message)

    def test_save_and_load(self, room: Room, context: Path, tmp_path: Path) -> None:
        room.docker("build", "-t", "demo-app:v1", context)
        before = room.docker("images", "-q", "--no-trunc", "demo-app").out
        assert room.docker("save", "-o", tmp_path / "a.tar", "demo-app:v1").code == 0
        room.docker("rmi", "demo-app:v1")
        loaded = room.docker("load", "-i", tmp_path / "a.tar")
        assert loaded.out == "Loaded image: demo-app:v1\n"
        assert room.docker("images", "-q", "--no-trunc", "demo-app").out == before
        assert room.docker("save", "-o", tmp_path / "b.tar", "demo-app:v1").code == 0
        assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()

    def test_a_saved_archive_is_also_an_oci_layout(self, room: Room) -> None:
        room.docker("pull", "nginx:alpine")
        with tarfile.open(
            fileobj=io.BytesIO(room.ask("GET", "/images/nginx:alpine/get").body)
        ) as tar:
            names = tar.getnames()
            index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]
            digest = index["manifests"][0]["digest"].removeprefix("sha256:")
            manifest = json.load(tar.extractfile(f"blobs/sha256/{digest}"))  # type: ignore[arg-type]
        assert {"oci-layout", "index.json", "manifest.json"} <= set(names)
        assert all(
            f"blobs/sha256/{layer['digest'].removeprefix('sha256:')}" in names
            for layer in manifest["layers"]
        )
