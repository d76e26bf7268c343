"""A build, a RUN or a container that reaches the engine: whose images it can take away."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from labs_helpers.engine.api import Backend
from labs_helpers.engine.api import app as api
from labs_helpers.engine.api.http import Request, Response
from labs_helpers.engine.api.isolated import Isolated
from labs_helpers.engine.hosts import HostMap
from labs_helpers.engine.store import ImageStore


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """With an image of the learner's, app:1."""
    store = ImageStore(tmp_path / "store")
    config = {"os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    store.add_image(config, [], ["app:1"])
    yield Backend(store, HostMap(None), tmp_path)
    store.close()


@pytest.fixture
def build(tmp_path: Path) -> Isolated:
    return Isolated(tmp_path / "one")


def ask(backend: Backend, method: str, target: str, client: Isolated | None) -> Response:
    path, _, query = target.partition("?")
    request = Request(method, path, parse_qs(query), {}, io.BytesIO(), isolated=client)
    return api.App(backend)._respond(request)


def said(response: Response) -> str:
    return b"".join(response.body).decode()


def test_the_learners_image_is_read_and_tagged_and_not_removed(
    backend: Backend, build: Isolated
) -> None:
    (image,) = backend.store.list()
    for name in ("app:1", image.id, image.id[7:19]):
        assert ask(backend, "GET", f"/images/{name}/json", build).status == 200
        refused = ask(backend, "DELETE", f"/images/{name}?force=1", build)
        assert refused.status == 403, said(refused)
    assert ask(backend, "DELETE", "/images/absent", build).status == 404
    assert [each.names for each in backend.store.list()] == [image.names]


def test_a_client_takes_a_name_of_its_own_away_and_the_image_stays(
    backend: Backend, build: Isolated
) -> None:
    assert ask(backend, "POST", "/images/app:1/tag?repo=mine&tag=2", build).status == 201
    other = Isolated(build.folder and build.folder.with_name("two"))
    refused = ask(backend, "DELETE", "/images/mine:2", other)
    assert (refused.status, "is isolated itself" in said(refused)) == (403, True)
    taken = ask(backend, "DELETE", "/images/mine:2", build)
    assert (taken.status, said(taken)) == (200, '[{"Untagged":"mine:2"}]\n')
    assert [each.names for each in backend.store.list()] == [("docker.io/library/app:1",)]


def test_a_name_that_was_there_is_no_name_of_the_clients(backend: Backend, build: Isolated) -> None:
    ask(backend, "POST", "/images/app:1/tag?repo=kept&tag=1", None)
    assert ask(backend, "POST", "/images/app:1/tag?repo=kept&tag=1", build).status == 201
    assert ask(backend, "DELETE", "/images/kept:1", build).status == 403


def test_the_learner_removes_any_image(backend: Backend, build: Isolated) -> None:
    ask(backend, "POST", "/images/app:1/tag?repo=mine&tag=2", build)
    assert ask(backend, "DELETE", "/images/mine:2", None).status == 200
    assert ask(backend, "DELETE", "/images/app:1", None).status == 200
    assert backend.store.list() == []
