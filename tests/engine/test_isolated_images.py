"""A build, a RUN or a container that reaches the engine has images of its own, and no others."""

from __future__ import annotations

import fcntl
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from labs_helpers.engine.api import Backend
from labs_helpers.engine.api import app as api
from labs_helpers.engine.api.http import Request, Response
from labs_helpers.engine.api.isolated import Isolated
from labs_helpers.engine.hosts import HostMap
from labs_helpers.engine.save import save
from labs_helpers.engine.server import make_server
from labs_helpers.engine.store import ImageStore

LABELS = {"of": "the learner"}


def layer(store: ImageStore, name: str) -> Any:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    data.seek(0)
    return store.write_layer(data)


def config(*diff_ids: str, **more: Any) -> dict[str, Any]:
    return {"os": "linux", "rootfs": {"type": "layers", "diff_ids": list(diff_ids)}, **more}


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """With an image of the learner's, app:1, and the image that it was built on."""
    store = ImageStore(tmp_path / "store")
    made = layer(store, "secret")
    base = store.add_image(config(made.diff_id, history=[{"created_by": "base"}]), [made])
    store.add_image(
        config(made.diff_id, config={"Labels": LABELS}), [made], ["app:1"], parent=base.id
    )
    found = Backend(store, HostMap(None), tmp_path)
    yield found
    found.private.close()
    store.close()


@pytest.fixture
def build(tmp_path: Path) -> Isolated:
    return made_build(tmp_path, "one")


def made_build(folder: Path, name: str) -> Isolated:
    place = folder / "builds" / name
    place.mkdir(parents=True)
    return Isolated(place)


def ask(
    backend: Backend, method: str, target: str, client: Isolated | None, body: bytes = b""
) -> Response:
    path, _, query = target.partition("?")
    headers = {"content-length": str(len(body))}
    request = Request(method, path, parse_qs(query), headers, io.BytesIO(body), isolated=client)
    return api.App(backend)._respond(request)


def said(response: Response) -> str:
    return b"".join(response.body).decode()


def archive(backend: Backend, name: str, **more: Any) -> bytes:
    """What docker save writes for an image with a name, which no other store has."""
    store = ImageStore(backend.scratch / "elsewhere")
    store.add_image(config(**more), [], [name])
    try:
        return b"".join(save([name], store))
    finally:
        store.remove(store.find(name).id)
        store.close()


def listed(backend: Backend, client: Isolated | None) -> list[str]:
    found = json.loads(said(ask(backend, "GET", "/images/json?all=1", client)))
    return sorted(name for image in found for name in image["RepoTags"])


WAYS = [
    ("GET", "/images/{}/json", 404),
    ("GET", "/images/{}/history", 404),
    ("GET", "/images/{}/get", 404),
    ("GET", "/images/get?names={}", 404),
    ("POST", "/images/{}/tag?repo=mine&tag=2", 404),
    ("DELETE", "/images/{}?force=1", 404),
    ("GET", '/images/json?filters={{"before":["{}"]}}', 200),
    ("GET", '/images/json?filters={{"since":["{}"]}}', 200),
]


@pytest.mark.parametrize(("method", "target", "status"), WAYS)
def test_the_learners_image_is_not_there_for_a_build(
    backend: Backend, build: Isolated, method: str, target: str, status: int
) -> None:
    image = backend.store.find("app:1")
    absent = "0" * 64
    for name in ("app:1", image.id, image.id[7:19], str(image.parent)):
        answer = ask(backend, method, target.format(name), build)
        other = absent if len(name) > 60 else absent[: len(name)]
        unknown = ask(backend, method, target.format("nosuch:1" if ":1" in name else other), build)
        assert (answer.status, unknown.status) == (status, status)
        assert "learner" not in said(answer)
    assert image in backend.store.list()


def test_no_container_begins_with_the_learners_image(backend: Backend, build: Isolated) -> None:
    for name in ("app:1", backend.store.find("app:1").id):
        body = json.dumps({"Image": name, "Cmd": ["x"]}).encode()
        assert ask(backend, "POST", "/containers/create", build, body).status == 404


def test_a_push_sends_nothing_of_the_learners(backend: Backend, build: Isolated) -> None:
    for tag in ("tag=1", ""):
        answer = said(ask(backend, "POST", f"/images/app/push?{tag}", build))
        assert "An image does not exist locally with the tag: app" in answer


def test_a_load_moves_no_name_of_the_learners(backend: Backend, build: Isolated) -> None:
    before = backend.store.find("app:1")
    given = archive(backend, "app:1", config={"Labels": {"of": "a stranger"}})
    answer = said(ask(backend, "POST", "/images/load", build, given))
    assert "Loaded image: app:1" in answer
    # nothing says that there was another image of the name
    assert "already exists" not in answer
    assert backend.store.find("app:1") == before
    theirs = json.loads(said(ask(backend, "GET", "/images/app:1/json", build)))
    assert theirs["Config"]["Labels"] == {"of": "a stranger"}


def test_a_build_and_a_tag_move_no_name_of_the_learners(backend: Backend, build: Isolated) -> None:
    before = backend.store.find("app:1")
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        text = b"FROM scratch\nLABEL of=a-stranger\n"
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    built = ask(backend, "POST", "/build?t=app:1&t=app:2", build, context.getvalue())
    assert "Successfully tagged app:2" in said(built)
    assert ask(backend, "POST", "/images/app:2/tag?repo=app&tag=1", build).status == 201
    assert backend.store.find("app:1") == before
    assert (listed(backend, None), listed(backend, build)) == (["app:1"], ["app:1", "app:2"])


def test_the_cache_of_a_build_has_no_image_of_the_learners(
    backend: Backend, build: Isolated
) -> None:
    """Whether a step was in the cache would say what the learner has built."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        text = b"FROM scratch\nLABEL a=b\n"
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    for client, cached in ((None, False), (build, False), (build, True), (None, True)):
        answer = said(ask(backend, "POST", "/build", client, context.getvalue()))
        assert ("Using cache" in answer) == cached


def test_two_builds_share_no_name(backend: Backend, build: Isolated, tmp_path: Path) -> None:
    other = made_build(tmp_path, "two")
    given = archive(backend, "of-one:1")
    said(ask(backend, "POST", "/images/load", build, given))
    assert (listed(backend, build), listed(backend, other)) == (["of-one:1"], [])
    assert ask(backend, "DELETE", "/images/of-one:1", other).status == 404
    gone = ask(backend, "DELETE", "/images/of-one:1", build)
    assert (gone.status, "Untagged" in said(gone), listed(backend, build)) == (200, True, [])


def test_what_a_build_does_to_images_is_no_event_of_the_learners(
    backend: Backend, build: Isolated
) -> None:
    said(ask(backend, "POST", "/images/load", build, archive(backend, "app:1")))
    ask(backend, "POST", "/images/app:1/tag?repo=app&tag=2", None)
    events = said(ask(backend, "GET", "/events?since=0&until=1", None))
    found = backend.events.follow(0, 2**40, lambda: True)
    assert [event["Action"] for event in found if event] == ["tag"], events


def test_the_learner_sees_no_image_of_a_build(backend: Backend, build: Isolated) -> None:
    given = archive(backend, "of-a-build:1")
    said(ask(backend, "POST", "/images/load", build, given))
    assert listed(backend, None) == ["app:1"]
    assert ask(backend, "GET", "/images/of-a-build:1/json", None).status == 404
    usage = json.loads(said(ask(backend, "GET", "/system/df", None)))
    assert [image["RepoTags"] for image in usage["Images"]] == [["app:1"]]
    ask(backend, "POST", '/images/prune?filters={"dangling":["false"]}', None)
    assert listed(backend, build) == ["of-a-build:1"]


def test_the_images_of_a_build_go_with_the_build(backend: Backend, tmp_path: Path) -> None:
    build = made_build(tmp_path, "one")
    assert build.folder
    with build.folder.with_name("one.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        given = archive(backend, "of-a-build:1")
        said(ask(backend, "POST", "/images/load", build, given))
        assert listed(backend, build) == ["of-a-build:1"]
        (waiting,) = waiters()
    # the lock ends with its process, however the process ends
    waiting.join(60)
    assert backend.private.owners() == []
    late = ask(backend, "GET", "/images/json", build)
    assert (late.status, "the build one has ended" in said(late)) == (410, True)
    assert listed(backend, None) == ["app:1"]


def waiters() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "build one"]


def test_a_new_engine_removes_what_ended_builds_left(tmp_path: Path) -> None:
    for name in ("build over", "build lasting", "isolated"):
        ImageStore(tmp_path / "engine/isolated" / name).close()
    half = tmp_path / "engine/isolated/build lasting/blobs/incoming/half-a-layer"
    half.write_bytes(b"of a load, before kill -9")
    (tmp_path / "builds/lasting").mkdir(parents=True)
    server = make_server(tmp_path / "d.sock", tmp_path / "engine", None, tmp_path / "builds")
    try:
        assert server.backend.private.owners() == ["build lasting"]
        assert not half.exists()
    finally:
        server.backend.private.close()
        server.backend.store.close()
