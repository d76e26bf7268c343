"""The same commands give the same results on every engine: the labs' own, and in front of a daemon.

The daemons are Docker with its older store, Docker with containerd's, and Podman.

Where a daemon differs in itself, and not for what the front does, the test says so.
"""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError, NotFound

from labs_helpers.engine.front.address import Address
from tests.clients import daemons
from tests.engine.engine_room import REGISTRY, Ended, Room, require, running

DEMO = f"{REGISTRY}/demo"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture(scope="module")
def hub_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


PODMAN = pytest.param("podman", marks=pytest.mark.soak)
"""CI meets Podman in tests/clients/test_containers_everywhere.py and others."""


@pytest.fixture(params=["embedded", "dockerd", "containerd", PODMAN])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def room(kind: str, hub_root: Path, request: pytest.FixtureRequest) -> Iterator[Room]:
    require("docker")
    daemon: Address | None = None if kind == "embedded" else request.getfixturevalue(kind)
    if daemon is not None:
        daemons.empty(daemon)
    with running(hub_root, daemon) as found:
        for name in ("demo", "other"):
            found.registry.create(name)
        yield found


@pytest.fixture
def client(room: Room, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DOCKER_CONFIG", room.environment["DOCKER_CONFIG"])
    found = docker.DockerClient(base_url=f"unix://{room.socket}")
    yield found
    found.close()


@pytest.fixture
def busybox(tmp_path: Path) -> Path:
    """The context of a build whose image has busybox, and nothing else."""
    require("busybox")
    found = subprocess.run(["which", "busybox"], capture_output=True, text=True, check=True)
    folder = tmp_path / "busybox"
    folder.mkdir()
    (folder / "busybox").write_bytes(Path(found.stdout.strip()).read_bytes())
    (folder / "busybox").chmod(0o755)
    (folder / "Dockerfile").write_text(
        'FROM scratch\nCOPY busybox /bin/\nENTRYPOINT ["/bin/busybox"]\n'
    )
    return folder


def podman_remote(room: Room, *arguments: str) -> Ended:
    """Run a command of Podman's client, which reads the logins of `docker login`."""
    require("podman")
    logins = Path(room.environment["DOCKER_CONFIG"], "config.json")
    if not logins.exists():
        # as the labs make it; Podman 4 fails without the file
        logins.parent.mkdir()
        logins.write_text("{}")
    done = subprocess.run(
        ["podman", "--remote", f"--url=unix://{room.socket}", *arguments],
        env=room.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def layers_of(lines: list[str], said: str) -> list[str]:
    return [line.split(": ")[0] for line in lines if line.endswith(f": {said}")]


class TestLogIn:
    def test_a_token_logs_in_and_another_does_not(self, room: Room) -> None:
        log_in = ("login", "--username", "AWS", "--password-stdin", REGISTRY)
        ended = room.docker(*log_in, given=room.registry.token.encode())
        assert (ended.code, ended.out.strip()) == (0, "Login Succeeded")
        ended = room.docker(*log_in, given=b"wrong")
        assert ended.code == 1
        assert re.search(
            rf"Error response from daemon: login attempt to https://{REGISTRY}/v2/"
            r" failed with status: 40\d ",
            ended.err,
        )

    def test_without_a_login_push_and_pull_say_so(self, room: Room) -> None:
        room.docker("pull", "nginx:alpine")
        room.docker("tag", "nginx:alpine", f"{DEMO}:v1")
        ended = room.docker("push", f"{DEMO}:v1")
        assert (ended.code, ended.err.strip()) == (1, "no basic auth credentials")
        assert room.docker("pull", f"{DEMO}:v1").err.strip() == (
            f'Error response from daemon: Head "https://{REGISTRY}/v2/demo/manifests/v1":'
            " no basic auth credentials"
        )

    def test_a_token_that_has_expired(self, room: Room) -> None:
        room.login()
        room.docker("pull", "nginx:alpine")
        room.docker("tag", "nginx:alpine", f"{DEMO}:v1")
        room.registry.clock.advance(timedelta(hours=13))
        assert room.docker("push", f"{DEMO}:v1").err.strip() == (
            "denied: Your authorization token has expired. Reauthenticate and try again."
        )


class TestPushAndPull:
    def test_a_round_trip(self, room: Room, kind: str) -> None:
        room.login()
        pulled = room.docker("pull", "nginx:alpine")
        assert pulled.code == 0, pulled.err
        assert pulled.lines[0] == "alpine: Pulling from library/nginx"
        assert pulled.lines[-2] == "Status: Downloaded newer image for nginx:alpine"
        assert room.docker("pull", "nginx:alpine").lines[-2] == (
            "Status: Image is up to date for nginx:alpine"
        )
        room.docker("tag", "nginx:alpine", f"{DEMO}:v1")
        image = room.docker("inspect", "--format", "{{.Id}}", "nginx:alpine").out
        layers = json.loads(
            room.docker("inspect", "--format", "{{json .RootFS.Layers}}", "nginx:alpine").out
        )
        shown = [layer.removeprefix("sha256:")[:12] for layer in reversed(layers)]

        first = room.docker("push", f"{DEMO}:v1")
        assert first.code == 0, first.err
        assert first.lines[0] == f"The push refers to repository [{DEMO}]"
        assert layers_of(first.lines, "Preparing") == layers_of(first.lines, "Pushed") == shown
        digest = first.lines[-1].split()[2]
        assert re.fullmatch(r"v1: digest: sha256:[0-9a-f]{64} size: \d+", first.lines[-1])

        room.docker("tag", f"{DEMO}:v1", f"{DEMO}:v2")
        second = room.docker("push", f"{DEMO}:v2")
        assert layers_of(second.lines, "Layer already exists") == shown
        assert second.lines[-1].split()[2] == digest

        ended = room.docker("rmi", "nginx:alpine", f"{DEMO}:v1", f"{DEMO}:v2")
        assert ended.code == 0, ended.err
        assert room.docker("images", "-q").out == ""
        again = room.docker("pull", f"{DEMO}:v1")
        assert again.code == 0, again.err
        assert again.lines[-3] == f"Digest: {digest}"
        assert room.docker("inspect", "--format", "{{.Id}}", f"{DEMO}:v1").out == image
        digests = json.loads(
            room.docker("inspect", "--format", "{{json .RepoDigests}}", f"{DEMO}:v1").out
        )
        # Docker gives a loaded image no digest unless it keeps images in containerd's store
        assert digests == ([] if kind == "dockerd" else [f"{DEMO}@{digest}"])

    def test_layers_are_mounted_from_another_repository(self, room: Room) -> None:
        room.login()
        room.docker("pull", "nginx:alpine")
        for name in ("demo", "other"):
            room.docker("tag", "nginx:alpine", f"{REGISTRY}/{name}:v1")
            ended = room.docker("push", f"{REGISTRY}/{name}:v1")
            assert ended.code == 0, ended.err
        assert layers_of(ended.lines, "Mounted from demo") == layers_of(ended.lines, "Preparing")
        patches = [line for line in room.requests if line.startswith("PATCH /v2/other/")]
        assert len(patches) == 1  # the configuration; layers were not sent again

    def test_every_tag(self, room: Room) -> None:
        room.login()
        room.docker("pull", "nginx:alpine")
        for tag in ("a", "b"):
            room.docker("tag", "nginx:alpine", f"{DEMO}:{tag}")
        ended = room.docker("push", "--all-tags", DEMO)
        pushed = [line.split()[2] for line in ended.lines if ": digest:" in line]
        assert len(pushed) == 2
        assert len(set(pushed)) == 1
        room.docker("rmi", "-f", "nginx:alpine", f"{DEMO}:a", f"{DEMO}:b")
        assert room.docker("pull", "--all-tags", DEMO).code == 0
        listed = room.docker("images", "--format", "{{.Tag}}", DEMO)
        assert sorted(listed.lines) == ["a", "b"]

    def test_by_digest(self, room: Room) -> None:
        room.login()
        room.docker("pull", "nginx:alpine")
        room.docker("tag", "nginx:alpine", f"{DEMO}:v1")
        digest = room.docker("push", f"{DEMO}:v1").lines[-1].split()[2]
        ended = room.docker("pull", "-q", f"{DEMO}@{digest}")
        assert (ended.code, ended.out) == (0, f"{DEMO}@{digest}\n")
        image = room.docker("inspect", "--format", "{{.Id}}", f"{DEMO}:v1").out
        named = room.docker("inspect", "--format", "{{.Id}}", f"{DEMO}@{digest}")
        assert (named.code, named.out) == (0, image), named.err
        assert room.docker("tag", f"{DEMO}@{digest}", "by-digest:1").code == 0
        assert room.docker("inspect", "--format", "{{.Id}}", "by-digest:1").out == image
        assert room.docker("push", f"{DEMO}@{digest}").code == 1

    def test_another_platform(self, room: Room) -> None:
        assert room.docker("pull", "-q", "--platform", "linux/arm64", "nginx:alpine").code == 0
        shown = room.docker("inspect", "--format", "{{.Os}}/{{.Architecture}}", "nginx:alpine")
        assert shown.out == "linux/arm64\n"

    def test_refusals(self, room: Room) -> None:
        room.login()
        room.docker("pull", "nginx:alpine")
        room.docker("tag", "nginx:alpine", f"{REGISTRY}/absent:v1")
        said = {
            ("push", f"{REGISTRY}/absent:v1"): "name unknown: The repository with name 'absent'"
            " does not exist in the registry with id '123456789012'",
            ("push", f"{DEMO}:not-here"): "An image does not exist locally with the tag: " + DEMO,
            ("pull", f"{DEMO}:not-there"): "Error response from daemon: manifest for"
            f" {DEMO}:not-there not found: manifest unknown: Requested image not found",
            ("pull", f"{DEMO}@sha256:{'a' * 64}"): "Error response from daemon: manifest for"
            f" {DEMO}@sha256:{'a' * 64} not found: manifest unknown: Requested image not found",
            ("pull", "nginx:never"): "Error response from daemon: manifest for nginx:never not"
            " found: manifest unknown: manifest unknown\nThe labs' stand-in for the registry has"
            " nginx:1-alpine, nginx:1.21-alpine, nginx:1.21.6-alpine, nginx:1.31-alpine,"
            " nginx:1.31.6-alpine, nginx:alpine, nginx:mainline-alpine. To take the real one:"
            " LABS_HUB=online labs start",
        }
        for command, message in said.items():
            ended = room.docker(*command)
            assert (ended.code, ended.err.strip()) == (1, message)

    def test_an_image_that_the_stand_in_hub_does_not_have(self, room: Room) -> None:
        ended = room.docker("pull", "redis")
        assert (ended.code, ended.err.strip()) == (
            1,
            "Error response from daemon: pull access denied for redis, repository does not exist or"
            " may require 'docker login': denied: requested access to the resource is denied\n"
            "The labs' stand-in for the registry has alpine, debian, nginx, python, ubuntu."
            " To take the real one: LABS_HUB=online labs start",
        )


class TestBuild:
    @pytest.fixture
    def context(self, tmp_path: Path) -> Path:
        (tmp_path / "Dockerfile").write_text(
            f"ARG BASE={DEMO}\nFROM $BASE:v1 AS first\nCOPY index.html /srv/\n"
            f"FROM {REGISTRY}/other:v1\nCOPY --from=first /srv/index.html /copied\n"
        )
        (tmp_path / "index.html").write_text("hello\n")
        return tmp_path

    def test_it_begins_with_an_image_of_the_registry(self, room: Room, context: Path) -> None:
        room.login()
        room.docker("pull", "nginx:alpine")
        for name in ("demo", "other"):
            room.docker("tag", "nginx:alpine", f"{REGISTRY}/{name}:v1")
            room.docker("push", f"{REGISTRY}/{name}:v1")
            room.docker("rmi", f"{REGISTRY}/{name}:v1")
        room.docker("rmi", "nginx:alpine")
        for flags in ((), ("--pull",), ("--pull", "--no-cache")):
            ended = room.docker("build", "-t", "built:1", *flags, context)
            assert ended.code == 0, ended.err
            assert "Successfully tagged built:1" in ended.out
        layers = json.loads(
            room.docker("inspect", "--format", "{{json .RootFS.Layers}}", "built:1").out
        )
        assert len(layers) == 5

    def test_a_base_that_is_not_there_is_named(self, room: Room, context: Path) -> None:
        room.login()
        ended = room.docker("build", context)
        assert ended.code == 1
        assert f"manifest for {DEMO}:v1 not found: manifest unknown" in ended.err

    def test_a_base_of_the_stand_in_hub(self, room: Room, context: Path) -> None:
        (context / "Dockerfile").write_text("FROM nginx:alpine\nLABEL a=b\n")
        ended = room.docker("build", "-q", "-t", "built:1", context)
        assert ended.code == 0, ended.err
        image = room.docker("inspect", "--format", "{{.Id}}", "built:1").out
        # Podman leaves the algorithm out
        assert ended.out.removeprefix("sha256:") == image.removeprefix("sha256:")


class TestSdk:
    def test_login_push_and_pull(self, client: Any, room: Room) -> None:
        answer = client.login("AWS", room.registry.token, registry=REGISTRY)
        assert answer["Status"] == "Login Succeeded"
        image = client.images.pull("nginx", tag="alpine")
        assert image.tag(DEMO, tag="v1") is True
        said = list(client.images.push(DEMO, tag="v1", stream=True, decode=True))
        pushed = next(line["aux"] for line in said if "aux" in line)
        assert client.images.get_registry_data(f"{DEMO}:v1").id == pushed["Digest"]
        client.images.remove(image.id, force=True)
        assert client.images.pull(DEMO, tag="v1").id == image.id

    def test_build_save_and_load(self, client: Any) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            content = b"FROM nginx:alpine\nENV A=b\n"
            entry = tarfile.TarInfo("Dockerfile")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        buffer.seek(0)
        image, _ = client.images.build(fileobj=buffer, custom_context=True, tag="sdk:1")
        assert "A=b" in image.attrs["Config"]["Env"]
        saved = b"".join(image.save(named=True))
        client.images.remove(image.id, force=True)
        (loaded,) = client.images.load(saved)
        assert loaded.id == image.id

    def test_errors_are_the_kind_the_sdk_knows(self, client: Any) -> None:
        with pytest.raises(NotFound, match="manifest for nginx:nope not found"):
            client.images.pull("nginx:nope")
        with pytest.raises(APIError):
            client.images.get_registry_data(f"{DEMO}:nope")


@pytest.mark.parametrize("kind", ["dockerd", "containerd", "podman"])
class TestContainers:
    """What only a real daemon does, through the front."""

    RUN = ("run", "--network=none")

    @pytest.fixture
    def image(self, room: Room, busybox: Path) -> str:
        """A busybox that was built, pushed, removed and pulled again."""
        room.login()
        name = f"{DEMO}:busybox"
        for command in (
            ("build", "-t", name, str(busybox)),
            ("push", name),
            ("rmi", name),
            ("pull", name),
        ):
            ended = room.docker(*command)
            assert ended.code == 0, ended.err
        return name

    def test_an_image_that_was_pushed_and_pulled_runs(self, room: Room, image: str) -> None:
        ended = room.docker(*self.RUN, image, "echo", "hello")
        assert (ended.code, ended.out, ended.err) == (0, "hello\n", "")

    def test_it_runs_by_its_digest_as_deployments_name_it(self, room: Room, image: str) -> None:
        digest = room.docker("push", image).lines[-1].split()[2]
        room.docker("rmi", image)
        name = f"{DEMO}@{digest}"
        ended = room.docker(*self.RUN, name, "echo", "hello")
        assert (ended.code, ended.out) == (0, "hello\n"), ended.err
        assert f"Unable to find image '{name}' locally" in ended.err
        assert "Status: Downloaded newer image for" in ended.err

    def test_input_goes_in_and_comes_out(self, room: Room, image: str) -> None:
        given = os.urandom(300_000).hex().encode()
        ended = room.docker(*self.RUN, "-i", image, "cat", given=given)
        assert ended.code == 0, ended.err
        assert ended.out.encode() == given

    def test_an_exit_code_and_both_streams(self, room: Room, image: str) -> None:
        ended = room.docker(*self.RUN, image, "sh", "-c", "echo out; echo err >&2; exit 7")
        assert (ended.code, ended.out, ended.err) == (7, "out\n", "err\n")

    def test_exec_logs_and_wait(self, room: Room, image: str) -> None:
        begun = room.docker(
            *(
                "run",
                "-d",
                "--network=none",
                image,
                "sh",
                "-c",
                "echo begun; exec /bin/busybox sleep 100",
            )
        )
        assert begun.code == 0, begun.err
        container = begun.out.strip()
        ended = room.docker("exec", container, "/bin/busybox", "sh", "-c", "echo inside; exit 3")
        assert (ended.code, ended.out) == (3, "inside\n")
        followed = subprocess.Popen(
            ["docker", "logs", "--follow", container],
            env=room.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert followed.stdout is not None
        assert followed.stdout.readline() == "begun\n"
        assert room.docker("rm", "-f", container).code == 0
        assert followed.stdout.read() == ""
        assert followed.wait(timeout=30) == 0


@pytest.mark.parametrize("kind", ["podman"])
class TestPodmanRemote:
    """`podman --remote` speaks Podman's own API: what does not concern the registry passes."""

    @pytest.fixture
    def image(self, room: Room, busybox: Path) -> str:
        """The name of a busybox that was built in the daemon."""
        assert podman_remote(room, "build", "-t", "tools", str(busybox)).code == 0
        return "localhost/tools:latest"

    def test_it_sees_what_docker_pulled_and_docker_what_it_made(self, room: Room) -> None:
        room.docker("pull", "nginx:alpine")
        listed = podman_remote(room, "images", "--format", "{{.Repository}}:{{.Tag}}")
        assert listed.out == "docker.io/library/nginx:alpine\n", listed.err
        assert podman_remote(room, "tag", "docker.io/library/nginx:alpine", f"{DEMO}:v1").code == 0
        room.login()
        assert room.docker("push", f"{DEMO}:v1").code == 0
        shown = podman_remote(room, "inspect", "--format", "{{.Architecture}}", f"{DEMO}:v1")
        assert shown.out == "amd64\n", shown.err
        assert podman_remote(room, "rmi", f"{DEMO}:v1").code == 0

    def test_a_round_trip(self, room: Room) -> None:
        room.login()
        pulled = podman_remote(room, "pull", "nginx:alpine")
        assert pulled.code == 0, pulled.err
        assert pulled.err.startswith(
            "Trying to pull docker.io/library/nginx:alpine...\nGetting image source signatures\n"
        )
        (image,) = pulled.lines
        pushed = podman_remote(room, "push", "nginx:alpine", f"docker://{DEMO}:v1")
        assert pushed.code == 0, pushed.err
        assert len(re.findall(r"^Copying blob [0-9a-f]{12}$", pushed.err, re.M)) == 4
        assert pushed.err.endswith("Writing manifest to image destination\n")
        # the name is for the registry: the daemon has it no more than with a podman of its own
        listed = podman_remote(room, "images", "--format", "{{.Repository}}:{{.Tag}}")
        assert listed.lines == ["docker.io/library/nginx:alpine"]
        again = podman_remote(room, "push", image[:12], f"{DEMO}:v2")
        assert again.err.count("skipped: already exists\n") == 4

        assert podman_remote(room, "rmi", "nginx:alpine").code == 0
        assert podman_remote(room, "images", "-q").out == ""
        pulled = podman_remote(room, "pull", f"{DEMO}:v1")
        assert (pulled.code, pulled.lines) == (0, [image]), pulled.err
        digest = podman_remote(room, "inspect", "--format", "{{.Digest}}", image).out.strip()
        assert digest == room.docker("push", f"{DEMO}:v1").lines[-1].split()[2]
        assert podman_remote(room, "rmi", f"{DEMO}:v1").code == 0

        name = f"{DEMO}@{digest}"
        pulled = podman_remote(room, "pull", "--quiet", name)
        assert (pulled.code, pulled.lines, pulled.err) == (0, [image], "")
        assert podman_remote(room, "inspect", "--format", "{{.Id}}", name).lines == [image]
        assert podman_remote(room, "image", "exists", name).code == 0
        assert podman_remote(room, "push", "--quiet", name, f"{REGISTRY}/other:v1").code == 0
        assert podman_remote(room, "tag", name, f"{DEMO}:v1").code == 0
        assert podman_remote(room, "pull", "--all-tags", "--quiet", DEMO).lines[-1] == image
        listed = podman_remote(room, "images", "--format", "{{.Tag}}", DEMO)
        assert sorted(listed.lines) == ["v1", "v2"]

    def test_layers_are_mounted_from_another_repository(self, room: Room, image: str) -> None:
        room.login()
        assert podman_remote(room, "push", image, f"{DEMO}:v1").code == 0
        pushed = podman_remote(room, "push", image, f"{REGISTRY}/other:v1")
        assert "skipped: mounted from demo\n" in pushed.err

    def test_another_platform(self, room: Room) -> None:
        ended = podman_remote(room, "pull", "-q", "--platform", "linux/arm64", "nginx:alpine")
        shown = podman_remote(room, "inspect", "--format", "{{.Architecture}}", ended.out.strip())
        assert shown.out == "arm64\n", (ended, shown)

    def test_without_a_login_push_and_pull_say_so(self, room: Room, image: str) -> None:
        for flags in ((), ("--quiet",)):
            ended = podman_remote(room, "push", *flags, image, f"{DEMO}:v1")
            assert (ended.code, ended.told) == (125, "Error: no basic auth credentials")
            ended = podman_remote(room, "pull", *flags, f"{DEMO}:v1")
            assert (ended.code, ended.told) == (
                125,
                f'Error: Head "https://{REGISTRY}/v2/demo/manifests/v1": no basic auth credentials',
            )

    def test_credentials_may_be_given_with_the_command(self, room: Room, image: str) -> None:
        credentials = f"--creds=AWS:{room.registry.token}"
        assert podman_remote(room, "push", credentials, image, f"{DEMO}:v1").code == 0
        assert podman_remote(room, "pull", credentials, f"{DEMO}:v1").code == 0
        ended = podman_remote(room, "pull", "--creds=AWS:wrong", f"{DEMO}:v1")
        assert ended.code == 125

    def test_a_token_that_has_expired(self, room: Room, image: str) -> None:
        room.login()
        room.registry.clock.advance(timedelta(hours=13))
        assert podman_remote(room, "push", image, f"{DEMO}:v1").told == (
            "Error: denied: Your authorization token has expired. Reauthenticate and try again."
        )

    def test_refusals(self, room: Room, image: str) -> None:
        room.login()
        digest = f"sha256:{'a' * 64}"
        missing = "not found: manifest unknown: Requested image not found"
        said = {
            ("push", image, f"{REGISTRY}/absent:v1"): "name unknown: The repository with name"
            " 'absent' does not exist in the registry with id '123456789012'",
            ("push", "not-here", f"{DEMO}:v1"): "failed to find image not-here: not-here: image not"
            " known",
            ("pull", f"{DEMO}:not-there"): f"manifest for {DEMO}:not-there {missing}",
            ("pull", f"{DEMO}@{digest}"): f"manifest for {DEMO}@{digest} {missing}",
            ("push", "--format=oci", image, f"{DEMO}:v1"): "format=oci: the labs push with Docker's"
            " manifest, v2s2. Leave --format out",
            (
                "push",
                "--compression-format=zstd",
                image,
                f"{DEMO}:v1",
            ): "compressionFormat=zstd: the labs push layers as gzip. Leave --compression-format"
            " out",
        }
        for command, message in said.items():
            for flags in ((), ("--quiet",)):
                ended = podman_remote(room, command[0], *flags, *command[1:])
                assert (ended.code, ended.told) == (125, f"Error: {message}")

    def test_what_changes_nothing_here_is_taken(self, room: Room, image: str) -> None:
        room.login()
        flags = ("--remove-signatures", "--tls-verify=false", "--format=v2s2")
        flags += ("--compression-format=gzip",)
        assert podman_remote(room, "push", *flags, image, f"{DEMO}:v1").code == 0
        assert podman_remote(room, "pull", "--tls-verify=false", f"{DEMO}:v1").code == 0

    def test_a_manifest_list_is_refused_by_name(self, room: Room) -> None:
        room.login()
        assert podman_remote(room, "manifest", "create", "several").code == 0
        for command in (("push",), ("manifest", "push")):
            ended = podman_remote(room, *command, "several", f"docker://{DEMO}:v1")
            assert ended.code == 125
            assert "several is a manifest list: the labs push the images that it" in ended.err

    RUN = ("run", "--rm", "--network=none")

    def test_run_pulls_what_is_not_there(self, room: Room, image: str) -> None:
        room.login()
        podman_remote(room, "push", image, f"{DEMO}:v1")
        room.docker("tag", image, f"{DEMO}:v1")
        digest = room.docker("push", f"{DEMO}:v1").lines[-1].split()[2]
        for name in (f"{DEMO}:v1", f"{DEMO}@{digest}"):
            podman_remote(room, "rmi", "--all", "--force")
            ended = podman_remote(room, *self.RUN, name, "echo", "hello")
            assert (ended.code, ended.out) == (0, "hello\n"), ended.err
            assert ended.err.startswith(f"Trying to pull {name}...\n")
            asked = len(room.requests)
            ended = podman_remote(room, *self.RUN, name, "echo", "hello")
            assert (ended.code, ended.out, ended.err) == (0, "hello\n", "")
            assert len(room.requests) == asked
        ended = podman_remote(room, *self.RUN, "--pull=newer", f"{DEMO}:v1", "echo", "new")
        assert (ended.code, ended.out) == (0, "new\n"), ended.err
        ended = podman_remote(room, *self.RUN, "--pull=never", f"{DEMO}:other", "echo", "hello")
        assert (ended.code, ended.told) == (125, f"Error: {DEMO}:other: image not known")

    def test_a_newer_one_that_cannot_be_had_leaves_the_one_that_is_there(
        self, room: Room, image: str
    ) -> None:
        assert podman_remote(room, "tag", image, f"{DEMO}:v1").code == 0
        ended = podman_remote(room, *self.RUN, "--pull=newer", f"{DEMO}:v1", "echo", "old")
        assert (ended.code, ended.out) == (0, "old\n"), ended.err
        assert podman_remote(room, *self.RUN, "--pull=always", f"{DEMO}:v1").code == 125

    def test_a_short_name_or_an_id_is_the_image_that_is_there(self, room: Room, image: str) -> None:
        (identifier,) = podman_remote(room, "images", "--quiet", "--no-trunc", image).lines
        for name in ("tools", identifier.removeprefix("sha256:")[:12]):
            ended = podman_remote(room, *self.RUN, name, "echo", "hello")
            assert (ended.code, ended.out, ended.err) == (0, "hello\n", "")
        assert room.requests == []

    def test_a_build_begins_with_images_of_the_registry(
        self, room: Room, image: str, busybox: Path
    ) -> None:
        room.login()
        for name in ("demo", "other"):
            assert podman_remote(room, "push", image, f"{REGISTRY}/{name}:v1").code == 0
        podman_remote(room, "rmi", "--all", "--force")
        (busybox / "Containerfile").write_text(
            f"ARG BASE={DEMO}\nFROM $BASE:v1 AS first\nCOPY Containerfile /file\n"
            f"FROM {REGISTRY}/other:v1\nCOPY --from=first /file /copied\n"
        )
        for flags in (
            (),
            ("--pull=always", "--no-cache"),
            ("--pull=never",),
            ("--pull=newer", "--platform=linux/amd64"),
        ):
            ended = podman_remote(
                room, "build", "--network=none", "-t", "built", *flags, str(busybox)
            )
            assert ended.code == 0, (flags, ended.err)
            assert "Successfully tagged localhost/built:latest\n" in ended.out
        (busybox / "Containerfile").write_text("FROM none-such\nCOPY Dockerfile /\n")
        assert podman_remote(room, "build", f"--from={DEMO}:v1", str(busybox)).code == 0
        ended = podman_remote(
            *(room, "build", f"--from={DEMO}:v1", "--platform=linux/amd64"),
            *("--platform=linux/arm64", str(busybox)),
        )
        assert ended.told == (
            f"Error: {DEMO}:v1: the labs bring a base for one platform. Build for one at a time"
        )
        (busybox / "Containerfile").write_text("FROM built\nCOPY Dockerfile /\n")
        assert podman_remote(room, "build", str(busybox)).code == 0

    def test_a_base_that_is_not_there_is_named(self, room: Room, tmp_path: Path) -> None:
        room.login()
        (tmp_path / "Dockerfile").write_text(f"FROM {DEMO}:v1\n")
        assert podman_remote(room, "build", str(tmp_path)).told == (
            f"Error: manifest for {DEMO}:v1 not found: manifest unknown: Requested image not found"
        )

    def test_archives_pass(self, room: Room, image: str, tmp_path: Path) -> None:
        file = str(tmp_path / "image.tar")
        assert podman_remote(room, "save", "-o", file, image).code == 0
        assert podman_remote(room, "rmi", image).code == 0
        assert podman_remote(room, "load", "-i", file).lines[-1] == f"Loaded image: {image}"


@pytest.mark.parametrize("kind", ["embedded", "dockerd"])
def test_podman_is_told_where_its_own_api_is_not(room: Room) -> None:
    for command in (("images",), ("pull", "nginx:alpine"), ("run", "nginx:alpine"), ("version",)):
        ended = podman_remote(room, *command)
        assert ended.code == 125
        assert ended.told.startswith(
            "Error: this engine has Docker's API, not Podman's own: use the docker command."
        )


@pytest.mark.parametrize("kind", ["dockerd"])
class TestBuildKit:
    """BuildKit's own protocol, HTTP/2 after an upgrade, is the daemon's alone."""

    @pytest.mark.parametrize("path", ["/grpc", "/session"])
    def test_an_upgrade_to_http2_reaches_the_daemon(self, room: Room, path: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(20)
            client.connect(str(room.socket))
            head = f"POST {path} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
            identity = "X-Docker-Expose-Session-Uuid: labs\r\n" if path == "/session" else ""
            client.sendall(f"{head}{identity}\r\n".encode())
            answered = b""
            while not answered.endswith(b"\r\n\r\n"):
                answered += client.recv(1)
            assert answered.startswith(b"HTTP/1.1 101 ")
            if path == "/grpc":
                # here the daemon is the server: it answers the preface with its settings, a
                # frame of type 4 (https://www.rfc-editor.org/rfc/rfc9113#section-6.5)
                client.sendall(
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
                )
                assert client.recv(9)[3] == 4
            else:
                # there it is the client, and begins
                assert client.recv(len(PREFACE), socket.MSG_WAITALL) == PREFACE
