"""The Docker SDK for Python against the labs engine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError, BuildError, ImageLoadError, ImageNotFound, NotFound

from tests.engine.engine_room import REGISTRY, Room, running

Client = Any


@pytest.fixture(scope="module")
def hub_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture
def room(hub_root: Path) -> Iterator[Room]:
    with running(hub_root) as found:
        yield found


@pytest.fixture
def client(room: Room, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("DOCKER_CONFIG", room.environment["DOCKER_CONFIG"])
    found = docker.DockerClient(base_url=f"unix://{room.socket}")
    yield found
    found.close()


def context(**files: str) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    buffer.seek(0)
    return buffer


def test_the_client_negotiates_a_version(client: Client) -> None:
    assert client.ping() is True
    assert client.api.api_version == "1.47"
    assert client.version()["Os"] == "linux"
    assert client.containers.list() == []


def test_login_push_and_pull(client: Client, room: Room) -> None:
    room.registry.create("demo")
    answer = client.login("AWS", room.registry.token, registry=REGISTRY)
    assert answer["Status"] == "Login Succeeded"
    image = client.images.pull("nginx", tag="alpine")
    assert image.tags == ["nginx:alpine"]
    assert image.tag(f"{REGISTRY}/demo", tag="v1") is True

    said = list(client.images.push(f"{REGISTRY}/demo", tag="v1", stream=True, decode=True))
    pushed = next(line["aux"] for line in said if "aux" in line)
    assert pushed["Tag"] == "v1"
    assert f"v1: digest: {pushed['Digest']} size: {pushed['Size']}" in [
        line.get("status") for line in said
    ]
    remote = client.images.get_registry_data(f"{REGISTRY}/demo:v1")
    assert remote.id == pushed["Digest"]

    client.images.remove(image.id, force=True)
    assert client.images.pull(f"{REGISTRY}/demo", tag="v1").id == image.id
    by_digest = client.images.pull(f"{REGISTRY}/demo@{pushed['Digest']}")
    assert by_digest.id == image.id


def test_a_build_from_a_tar_with_arguments_and_labels(client: Client) -> None:
    image, log = client.images.build(
        fileobj=context(
            Dockerfile="FROM nginx:alpine\nARG who=you\nENV WHO=$who\nCOPY a /a\n", a="1"
        ),
        custom_context=True,
        tag="demo-app:v1",
        buildargs={"who": "me"},
        labels={"team": "labs"},
    )
    assert "WHO=me" in image.attrs["Config"]["Env"]
    assert image.labels["team"] == "labs"
    said = "".join(line.get("stream", "") for line in log)
    assert "Successfully tagged demo-app:v1" in said
    assert [found.id for found in client.images.list(filters={"label": "team=labs"})] == [image.id]
    assert client.images.list(name="demo-app")[0].id == image.id
    assert image.history()[0]["Tags"] == ["demo-app:v1"]


def test_a_build_for_another_platform_begins_with_that_platforms_image(client: Client) -> None:
    def architecture(dockerfile: str, **options: str) -> str:
        image, _ = client.images.build(
            fileobj=context(Dockerfile=dockerfile), custom_context=True, **options
        )
        return str(image.attrs["Architecture"])

    plain = "FROM nginx:alpine\nLABEL a=b\n"
    assert architecture(plain) == "amd64"
    assert architecture(plain, platform="linux/arm64") == "arm64"
    assert architecture("FROM --platform=linux/arm64 nginx:alpine\nLABEL c=d\n") == "arm64"
    # the name stays with the platform that is built for by default
    assert architecture(plain) == "amd64"
    assert client.images.get("nginx:alpine").attrs["Architecture"] == "amd64"


def test_a_dockerfile_that_cannot_be_read_is_a_400(client: Client) -> None:
    with pytest.raises(APIError) as caught:
        client.images.build(fileobj=context(Dockerfile="FROMM nginx:alpine\n"), custom_context=True)
    assert caught.value.response.status_code == 400
    assert "unknown instruction: FROMM" in caught.value.explanation


def test_run_in_a_dockerfile_is_refused_in_the_stream(client: Client) -> None:
    with pytest.raises(BuildError, match='exec: "/bin/sh": stat /bin/sh: no such file'):
        client.images.build(
            fileobj=context(Dockerfile="FROM nginx:alpine\nRUN true\n"), custom_context=True
        )


def test_save_and_load(client: Client) -> None:
    image = client.images.pull("nginx:alpine")
    saved = b"".join(image.save(named=True))
    client.images.remove("nginx:alpine")
    assert client.images.list() == []
    (loaded,) = client.images.load(saved)
    assert (loaded.id, loaded.tags) == (image.id, ["nginx:alpine"])


def test_what_is_no_archive_is_the_error_the_sdk_has_for_it(client: Client) -> None:
    with pytest.raises(ImageLoadError, match="not a tar file"):
        client.images.load(b"abc")


def test_info_says_what_the_sdks_own_tests_ask_for(client: Client) -> None:
    info = client.info()
    assert (info["Debug"], info["ExperimentalBuild"]) == (False, False)


def test_errors_are_the_kind_the_sdk_knows(client: Client) -> None:
    with pytest.raises(ImageNotFound):
        client.images.get("nope")
    with pytest.raises(NotFound, match="manifest for nginx:nope not found"):
        client.images.pull("nginx:nope")
    with pytest.raises(APIError, match="start Docker or Podman and then the labs anew"):
        client.containers.run("nginx:alpine")
    (problem,) = [
        line for line in client.images.push("nope", stream=True, decode=True) if "error" in line
    ]
    assert problem["error"] == "An image does not exist locally with the tag: nope"


def test_prune_removes_what_has_no_name(client: Client) -> None:
    files = {"Dockerfile": "FROM scratch\nCOPY a /a\n"}
    client.images.build(fileobj=context(**files, a="1"), custom_context=True, tag="demo-app")
    client.images.build(fileobj=context(**files, a="22"), custom_context=True, tag="demo-app")
    pruned = client.images.prune()
    assert pruned["SpaceReclaimed"] == 1
    assert len(client.images.list()) == 1
