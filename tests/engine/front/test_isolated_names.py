"""The names that an isolated client gives to a daemon's images."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from labs_helpers.engine.api.isolated import Isolated
from labs_helpers.engine.errors import Forbidden
from labs_helpers.engine.front.http_messages import RequestHead
from labs_helpers.engine.front.isolated_names import await_end, check
from labs_helpers.engine.front.resources import Resources
from labs_helpers.engine.hosts import HostMap
from labs_helpers.oci.reference import Reference


class Daemon:
    """A daemon with an image of the learner's, app:1.0."""

    def __init__(self) -> None:
        self.images = {"docker.io/library/app:1.0": "sha256:1"}
        self.removed: list[str] = []

    def names(self) -> dict[str, str]:
        return dict(self.images)

    def untag(self, reference: Reference) -> None:
        del self.images[str(reference)]

    def remove_container(self, name: str) -> None:
        self.removed.append(name)


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def resources(daemon: Any, tmp_path: Path) -> Resources:
    records: Any = None
    return Resources(daemon, records, HostMap(None), tmp_path)


@pytest.fixture
def build(tmp_path: Path) -> Isolated:
    folder = tmp_path / "builds/one"
    folder.mkdir(parents=True)
    return Isolated(folder)


def ask(resources: Resources, client: Isolated, target: str, **headers: str) -> None:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    request = RequestHead(b"", "POST", target, named)
    check(client, request, parse_qs(urlsplit(target).query), resources)


@pytest.mark.parametrize(
    "target",
    [
        "/v1.47/build?t=mine&t=app:1.0",
        "/build?t=docker.io/library/app:1.0",
        "/images/mine:1/tag?repo=app&tag=1.0",
        "/images/mine:1/tag?repo=app:1.0",
        "/images/mine:1/tag?repo=app:2.0&tag=1.0",
        "/images/create?fromSrc=-&repo=app&tag=1.0",
    ],
)
def test_no_name_of_the_learners_is_moved(
    resources: Resources, build: Isolated, target: str
) -> None:
    with pytest.raises(Forbidden, match=r"refuses the name app:1\.0 .* docker rmi app:1\.0"):
        ask(resources, build, target)
    assert resources.names == {}


def test_what_names_images_unseen_is_refused(resources: Resources, build: Isolated) -> None:
    with pytest.raises(Forbidden, match="refuses docker load"):
        ask(resources, build, "/v1.47/images/load?quiet=1")
    for path in ("/grpc", "/v1.47/session"):
        with pytest.raises(Forbidden, match="refuses BuildKit"):
            ask(resources, build, path)
    for kind in ("application/x-www-form-urlencoded", "Multipart/Form-Data; boundary=x"):
        with pytest.raises(Forbidden, match="takes no form"):
            ask(resources, build, "/images/mine/tag", content_type=kind)


def test_a_build_moves_its_own_names(
    resources: Resources, build: Isolated, daemon: Daemon, tmp_path: Path
) -> None:
    ask(resources, build, "/build?t=mine:1")
    daemon.images["docker.io/library/mine:1"] = "sha256:2"
    ask(resources, build, "/images/app:1.0/tag?repo=mine&tag=1")
    with pytest.raises(Forbidden, match="refuses the name mine:1"):
        ask(resources, Isolated(tmp_path / "builds/two"), "/build?t=mine:1")


def test_what_a_build_named_ends_with_the_build(
    resources: Resources, build: Isolated, daemon: Daemon
) -> None:
    assert build.folder
    with build.folder.with_name("one.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ask(resources, build, "/build?t=mine:1")
        ask(resources, build, "/images/mine:1/tag?repo=mine&tag=2")
        ask(resources, build, "/images/sha256:3/tag?repo=of-nobody&tag=3")
        daemon.images |= {
            "docker.io/library/mine:1": "sha256:2",
            "docker.io/library/mine:2": "sha256:2",
            "docker.io/library/of-nobody:3": "sha256:3",
        }
        resources.owners.update({"a": build.owner, "b": "isolated"})
        await_end(build, resources)
        (waiting,) = (each for each in threading.enumerate() if each.name == build.owner)
    waiting.join(60)
    # the image of of-nobody:3 has no other name, and may be the learner's
    assert sorted(daemon.images) == ["docker.io/library/app:1.0", "docker.io/library/of-nobody:3"]
    assert (daemon.removed, resources.owners) == (["a"], {"b": "isolated"})


def test_the_next_build_moves_a_name_that_an_ended_one_left(
    resources: Resources, build: Isolated, daemon: Daemon
) -> None:
    daemon.images["docker.io/library/left:1"] = "sha256:3"
    resources.names["docker.io/library/left:1"] = ""
    ask(resources, build, "/build?t=left:1")
    assert resources.names == {"docker.io/library/left:1": build.owner}
