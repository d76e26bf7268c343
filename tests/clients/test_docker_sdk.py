"""The Docker SDK for Python against the labs engine."""

from __future__ import annotations

import io
import json
import tarfile
import time
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
    with pytest.raises(APIError, match='exec: "nosuch": executable file not found'):
        client.containers.run("nginx:alpine", entrypoint="nosuch", remove=True)
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


def test_a_pushed_image_has_its_platform_in_the_registry(client: Client, room: Room) -> None:
    """Reported as F7."""
    room.registry.create("demo")
    client.login("AWS", room.registry.token, registry=REGISTRY)
    image, _ = client.images.build(
        fileobj=context(Dockerfile="FROM scratch\nCOPY Dockerfile /"), custom_context=True
    )
    image.tag(f"{REGISTRY}/demo", tag="v1")
    client.images.push(f"{REGISTRY}/demo", tag="v1")
    found = client.images.get_registry_data(f"{REGISTRY}/demo:v1")
    assert found.attrs["Platforms"] == [{"architecture": "amd64", "os": "linux"}]
    assert found.has_platform("linux/amd64")
    assert not found.has_platform("linux/arm64")


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("nginx:no-such-tag", 404, "manifest unknown"),
        ("no-such-image:1", 403, "requested access to the resource is denied"),
        (f"{REGISTRY}/missing:1", 404, "does not exist in the registry"),
    ],
)
def test_what_a_registry_lacks_is_an_error_of_its_kind(
    client: Client, room: Room, name: str, status: int, said: str
) -> None:
    """Reported as S10."""
    client.login("AWS", room.registry.token, registry=REGISTRY)
    with pytest.raises(APIError) as failed:
        client.images.get_registry_data(name)
    assert failed.value.response.status_code == status
    assert said in failed.value.explanation


def test_an_image_is_imported(client: Client, tmp_path: Path) -> None:
    """Reported as S14."""
    (tmp_path / "fs.tar").write_bytes(context(hello="hi").getvalue())
    answer = client.api.import_image_from_file(
        str(tmp_path / "fs.tar"), repository="fs", tag="1", changes=["ENV a=b"]
    )
    image = client.images.get("fs:1")
    assert json.loads(answer)["status"] == image.id
    assert image.attrs["Config"]["Env"] == ["a=b"]
    assert client.api.import_image_from_data(context(hello="hi").getvalue(), repository="fs")


def test_a_cache_from_an_unrelated_image_is_not_used(client: Client) -> None:
    """Reported as S11."""
    client.images.pull("nginx", tag="alpine")
    text = "FROM scratch\nLABEL a=1\nLABEL b=1"
    client.images.build(fileobj=context(Dockerfile=text), custom_context=True, tag="done:1")

    def said(cache_from: list[str] | None) -> str:
        _, lines = client.images.build(
            fileobj=context(Dockerfile=text), custom_context=True, cache_from=cache_from
        )
        return "".join(line.get("stream", "") for line in lines)

    assert said(None).count("Using cache") == 2
    assert said(["nginx:alpine"]).count("Using cache") == 0
    assert said(["done:1"]).count("Using cache") == 2


def test_a_pulled_image_is_a_cache(client: Client, room: Room) -> None:
    room.registry.create("demo")
    client.login("AWS", room.registry.token, registry=REGISTRY)
    name = f"{REGISTRY}/demo:v1"
    text = "FROM scratch\nCOPY f /\nLABEL a=1\nLABEL b={}"
    built, _ = client.images.build(
        fileobj=context(Dockerfile=text.format(1), f="x"), custom_context=True, tag=name
    )
    client.images.push(name)
    client.images.remove(name)
    assert client.images.list(all=True) == []
    client.images.pull(name)
    again, lines = client.images.build(
        fileobj=context(Dockerfile=text.format(2), f="x"), custom_context=True, cache_from=[name]
    )
    assert "".join(line.get("stream", "") for line in lines).count("Using cache") == 2
    whole, _ = client.images.build(
        fileobj=context(Dockerfile=text.format(1), f="x"), custom_context=True, cache_from=[name]
    )
    assert whole.id == built.id
    assert again.attrs["Config"]["Labels"] == {"a": "1", "b": "2"}


def test_a_tag_that_the_stand_in_hub_lacks_is_answered_with_those_it_has(client: Client) -> None:
    with pytest.raises(NotFound) as failed:
        client.images.pull("nginx", tag="no-such-tag")
    assert "nginx:alpine" in failed.value.explanation
    assert "python" not in failed.value.explanation
    with pytest.raises(BuildError) as stopped:
        client.images.build(fileobj=context(Dockerfile="FROM redis:7"), custom_context=True)
    assert "stand-in for the registry has alpine," in str(stopped.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda api: api.search("nginx"), "no search index"),
        (lambda api: api.import_image_from_url("http://x/fs.tar"), "fetches nothing from a URL"),
    ],
)
def test_what_the_engine_does_not_do_is_refused_in_words(
    client: Client, call: Any, said: str
) -> None:
    with pytest.raises(APIError) as failed:
        call(client.api)
    assert failed.value.response.status_code == 501
    assert said in failed.value.explanation


def test_events_are_of_containers_images_and_volumes_and_said_to_be(client: Client) -> None:
    client.images.pull("nginx", tag="alpine")
    made = client.containers.create("nginx:alpine")
    until = int(time.time()) + 1
    told = list(client.events(since=0, until=until, decode=True, filters={"type": "container"}))
    assert [(event["Action"], event["id"]) for event in told] == [("create", made.id)]
    told = list(client.events(since=0, until=until, decode=True, filters={"type": "image"}))
    assert [(event["Action"], event["id"]) for event in told] == [("pull", "nginx:alpine")]
    # the SDK's stream of events ends silently at any error, so its request is looked at
    for filters in ({"type": ["network"]}, {"plugin": ["x"]}):
        answer = client.api.get(
            client.api._url("/events"), params={"filters": json.dumps(filters)}, timeout=60
        )
        assert answer.status_code == 501
        assert "keeps events of containers, images, volumes, not of" in answer.json()["message"]


def test_each_change_of_an_image_is_an_event(client: Client, room: Room) -> None:
    room.registry.create("demo")
    client.login("AWS", room.registry.token, registry=REGISTRY)
    began = time.time()
    image = client.images.pull("nginx", tag="alpine")
    image.tag(f"{REGISTRY}/demo", tag="v1")
    client.images.push(f"{REGISTRY}/demo", tag="v1")
    archive = b"".join(image.save(named=True))
    client.images.load(archive)
    client.images.remove(f"{REGISTRY}/demo:v1")
    client.images.remove("nginx:alpine")
    made, _ = client.images.build(
        fileobj=context(Dockerfile="FROM scratch\nCOPY f /\nLABEL a=b\n", f="x"),
        custom_context=True,
        tag="built",
    )
    client.api.import_image_from_data(context(f="y").getvalue(), "imported")
    client.images.prune()
    told = list(
        client.events(since=began, until=time.time() + 0.1, decode=True, filters={"type": "image"})
    )
    actions = [event["Action"] for event in told]
    assert [action for action in actions if action != "untag"] == [
        *("pull", "tag", "push", "save", "load", "delete", "tag", "import", "prune"),
    ]
    assert actions.count("untag") >= 2
    named = {event["Action"]: event for event in told}
    assert named["pull"]["Actor"]["ID"] == "nginx:alpine"
    assert named["push"]["Actor"]["ID"] == f"{REGISTRY}/demo:v1"
    assert named["delete"]["Actor"]["ID"] == named["load"]["Actor"]["ID"] == image.id
    assert named["tag"]["Actor"]["ID"] == made.id
    assert named["tag"]["Actor"]["Attributes"] == {"a": "b", "name": "built:latest"}


def test_a_failed_pull_is_no_event(client: Client) -> None:
    began = time.time()
    with pytest.raises(NotFound):
        client.images.pull("nosuch", tag="1")
    assert list(client.events(since=began, until=time.time() + 0.1, decode=True)) == []
