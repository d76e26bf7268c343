"""The labs find and remove exactly the images that they brought into a real daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.engine.front.address import Address
from labs_helpers.engine.front.daemon import DaemonClient, DaemonError
from labs_helpers.engine.front.leftovers import (
    Leftover,
    copy_records,
    known_daemons,
    leftovers,
    remove_leftovers,
)
from labs_helpers.engine.front.records import DATABASE, Records
from labs_helpers.files import SetAside
from labs_helpers.oci.reference import parse
from tests.clients import daemons
from tests.engine.engine_room import REGISTRY, Room, running

ACCOUNT = REGISTRY.partition(".")[0]


@pytest.fixture(scope="module")
def hub_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture
def room(hub_root: Path, dockerd: Address) -> Iterator[Room]:
    daemons.empty(dockerd)
    with running(hub_root, dockerd) as found:
        yield found
    daemons.empty(dockerd)


def daemon_of(room: Room) -> DaemonClient:
    return DaemonClient(room.server.resources.daemon.address)  # type: ignore[union-attr]


def address_of(room: Room) -> str:
    (address,) = known_daemons(room.folder / "engine")
    return address


def there(room: Room) -> list[Leftover]:
    return leftovers(room.folder / "engine", address_of(room), ACCOUNT)


def tagged(room: Room, name: str, content: str) -> str:
    """Build an image of the learner's own, and return its ID."""
    folder = room.folder / content
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM scratch\nLABEL content={content}\n")
    ended = room.docker("build", "-q", "-t", name, folder)
    assert ended.code == 0, ended.err
    return ended.out.strip()


def test_only_what_came_through_the_labs_is_listed_and_removed(room: Room) -> None:
    mine = tagged(room, "mine:1", "mine")
    theirs = "111122223333.dkr.ecr.us-east-1.amazonaws.com/work:1"
    tagged(room, theirs, "work")
    room.registry.create("demo")
    room.login()
    room.docker("pull", "nginx:alpine")
    room.docker("tag", "nginx:alpine", f"{REGISTRY}/demo:v1")
    room.docker("tag", "nginx:alpine", f"{REGISTRY}/built-not-pushed:v1")
    room.docker("push", f"{REGISTRY}/demo:v1")

    found = there(room)
    assert [one.label for one in found] == [
        f"{REGISTRY}/built-not-pushed:v1",
        f"{REGISTRY}/demo:v1",
        "nginx:alpine",
    ]
    assert [
        problem for _, problem in remove_leftovers(room.folder / "engine", address_of(room), found)
    ] == ["", "", ""]
    assert sorted(daemon_of(room).names()) == [theirs, "docker.io/library/mine:1"]
    assert daemon_of(room).image_id("mine:1") == mine


def test_a_name_that_had_another_image_gets_it_back(room: Room) -> None:
    mine = tagged(room, "nginx:alpine", "mine")
    for _ in range(2):
        assert room.docker("pull", "nginx:alpine").code == 0
    assert daemon_of(room).image_id("nginx:alpine") != mine
    found = there(room)
    assert [one.label for one in found] == ["nginx:alpine (its earlier image gets the name back)"]
    # without a name, the image would be pruned here, or removed by containerd's store before
    room.docker("image", "prune", "-f")
    ended = list(remove_leftovers(room.folder / "engine", address_of(room), found))
    assert [problem for _, problem in ended] == [""]
    assert daemon_of(room).names() == {"docker.io/library/nginx:alpine": mine}


def test_a_name_that_the_learner_has_given_to_another_image_since_is_left(room: Room) -> None:
    room.docker("pull", "nginx:alpine")
    brought = daemon_of(room).image_id("nginx:alpine")
    mine = tagged(room, "nginx:alpine", "mine")
    # the image that lost the name is still a leftover
    (found,) = there(room)
    assert (found.name.partition("@")[0], found.image) == ("docker.io/library/nginx", brought)
    list(remove_leftovers(room.folder / "engine", address_of(room), [found]))
    assert daemon_of(room).image_id("nginx:alpine") == mine


def test_an_image_in_use_stays_and_says_why(room: Room) -> None:
    room.docker("pull", "nginx:alpine")
    created = room.docker("create", "--network=none", "nginx:alpine")
    assert created.code == 0, created.err
    found = there(room)
    ((one, problem),) = remove_leftovers(room.folder / "engine", address_of(room), found)
    assert one.label == "nginx:alpine"
    assert "container" in problem
    assert daemon_of(room).image_id("nginx:alpine")


def test_an_image_that_has_only_a_digest_is_listed_and_removed(room: Room) -> None:
    room.registry.create("demo")
    room.login()
    room.docker("pull", "nginx:alpine")
    room.docker("tag", "nginx:alpine", f"{REGISTRY}/demo:v1")
    digest = room.docker("push", f"{REGISTRY}/demo:v1").lines[-1].split()[2]
    room.docker("rmi", "nginx:alpine", f"{REGISTRY}/demo:v1")
    assert room.docker("pull", f"{REGISTRY}/demo@{digest}").code == 0
    found = there(room)
    assert [one.label for one in found] == [f"{REGISTRY}/demo@{digest}"]
    ended = list(remove_leftovers(room.folder / "engine", address_of(room), found))
    assert [problem for _, problem in ended] == [""]
    assert room.docker("images", "-aq").out == ""


def test_what_stays_is_known_in_the_next_sandbox(room: Room, tmp_path: Path) -> None:
    room.docker("pull", "nginx:alpine")
    copy_records(room.folder / "engine", tmp_path / "new")
    known = leftovers(tmp_path / "new", address_of(room), ACCOUNT)
    assert [one.label for one in known] == ["nginx:alpine"]
    list(remove_leftovers(tmp_path / "new", address_of(room), known))
    copy_records(tmp_path / "new", tmp_path / "newer")
    assert known_daemons(tmp_path / "newer") == []


def test_without_a_front_there_is_nothing(tmp_path: Path) -> None:
    assert known_daemons(tmp_path) == []


def test_a_daemon_that_has_gone_is_an_error(tmp_path: Path) -> None:
    records = Records(tmp_path / DATABASE)
    records.remember_daemon(f"unix://{tmp_path}/gone")
    records.close()
    with pytest.raises(DaemonError, match="No such file"):
        leftovers(tmp_path, *known_daemons(tmp_path), ACCOUNT)


def test_another_daemon_has_names_of_its_own(tmp_path: Path) -> None:
    records = Records(tmp_path / DATABASE)
    records.remember_daemon("unix:///one")
    records.remember_name(str(parse("a")), "sha256:a", None)
    records.remember_config("sha256:a", b"{}")
    records.remember_daemon("unix:///other")
    assert records.names() == []
    assert records.config("sha256:a") is None
    assert known_daemons(tmp_path) == ["unix:///other", "unix:///one"]
    records.remember_daemon("unix:///one")
    assert records.names() == [("docker.io/library/a:latest", "sha256:a", None)]
    assert known_daemons(tmp_path) == ["unix:///one"]
    records.close()


def test_damaged_records_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database" * 1000)
    with pytest.warns(SetAside, match="images are compressed and sent once more"):
        records = Records(tmp_path / DATABASE)
    assert records.names() == []
    records.close()
    (kept,) = tmp_path.glob(f"{DATABASE}.damaged-*/{DATABASE}")
    assert kept.read_bytes() == b"not a database" * 1000


def test_a_belonging_is_shown_as_docker_shows_it() -> None:
    assert Leftover("docker.io/library/nginx:alpine", "sha256:a").label == "nginx:alpine"
