"""A container on a lab's image stops no lab: both stay, and the card says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from labs_helpers.prepare import beginning
from tests.labs.desk import Desk, desk

CREATE = "docker create --name mine demo-app:latest"


@pytest.fixture(scope="module")
def made() -> Iterator[Desk]:
    with desk("06") as lab:
        yield lab


@pytest.fixture
def lab(made: Desk) -> Iterator[Desk]:
    """Lab 06 at its beginning, with the lesson's image and one in the labs' registry."""
    made.begin()
    made.done("docker build -q -t demo-app .; docker tag demo-app $REGISTRY/demo-app-repo:1.0")
    yield made
    for one in made.place.docker.containers.list(all=True):
        one.remove(force=True)


def tags(lab: Desk) -> dict[str, str]:
    return {tag: one.id for one in lab.place.docker.images.list() for tag in one.tags}


def container(lab: Desk) -> Any:
    return lab.place.docker.containers.get("mine")


@pytest.mark.parametrize("number", ["06", "07"])
def test_a_created_container_keeps_its_image_and_the_lab_starts(number: str, lab: Desk) -> None:
    lab.done(CREATE)
    mine = container(lab)
    image = mine.image.id

    begun = beginning.make(number, lab.place)

    assert container(lab).image.id == image
    assert tags(lab)[f"in-use:{mine.id[:12]}"] == image
    assert "image demo-app:latest" in begun.removed
    (note,) = [one for one in begun.notes if "container" in one]
    assert note.endswith(f"docker rm -f {mine.id[:12]}")
    assert note in beginning.card_of(lab.lab.title, lab.place, "", begun).text


def test_an_image_that_only_its_tag_in_the_registry_names_is_kept_too(lab: Desk) -> None:
    lab.done("docker create --name mine $REGISTRY/demo-app-repo:1.0; docker rmi demo-app:latest")
    begun = beginning.make("06", lab.place)
    assert [name for name in tags(lab) if "demo-app" in name] == []
    assert tags(lab)[f"in-use:{container(lab).id[:12]}"] == container(lab).image.id
    assert len(begun.notes) == 1


def test_the_line_of_the_card_and_another_start_leave_nothing(lab: Desk) -> None:
    lab.done(CREATE)
    image = container(lab).image.id
    (note,) = beginning.make("06", lab.place).notes
    assert beginning.make("06", lab.place).notes == (), "the image is in no lab's way any more"

    lab.done(note.rpartition(": ")[2])
    begun = beginning.make("06", lab.place)

    assert begun.notes == ()
    assert image not in {one.id for one in lab.place.docker.images.list(all=True)}
    assert not [name for name in tags(lab) if name.startswith("in-use")]


def test_each_container_is_named(lab: Desk) -> None:
    lab.done(f"{CREATE}; docker create --name other demo-app:latest")
    begun = beginning.make("06", lab.place)
    assert len([one for one in begun.notes if "docker rm -f" in one]) == 2


def test_a_container_of_a_task_is_ended_by_ecs(lab: Desk) -> None:
    """`docker rm -f` would be a task that failed, and a service would start the next."""
    arn = "arn:aws:ecs:us-west-2:123456789012:task/main/0123456789abcdef0123456789abcdef"
    of_ecs = {"task-arn": arn, "cluster": "arn:aws:ecs:us-west-2:123456789012:cluster/main"}
    labels = " ".join(f"--label com.amazonaws.ecs.{name}={value}" for name, value in of_ecs.items())
    lab.done(CREATE.replace("create", f"create {labels}"))
    (note,) = beginning.make("06", lab.place).notes
    assert "docker rm" not in note
    assert "--desired-count is 0" in note
    assert note.endswith(f"to stop the task: aws ecs stop-task --cluster main --task {arn}")


def test_an_image_kept_for_an_ended_container_is_kept_for_the_next_one(lab: Desk) -> None:
    lab.done(CREATE)
    image = container(lab).image.id
    beginning.make("06", lab.place)
    lab.done(f"docker create --name next {image}; docker rm mine")
    begun = beginning.make("06", lab.place)
    other = lab.place.docker.containers.get("next")
    assert {name: tags(lab)[name] for name in tags(lab) if name.startswith("in-use")} == {
        f"in-use:{other.id[:12]}": image
    }
    (note,) = begun.notes
    assert note.endswith(f"docker rm -f {other.id[:12]}")
