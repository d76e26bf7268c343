"""Docker's side: its logins and its local images."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import docker.errors

from labs_helpers.defaults import IMAGE, REPOSITORY
from labs_helpers.engine import process
from labs_helpers.engine.choice import EMBEDDED
from labs_helpers.files import LabsError, read_json, write_json
from labs_helpers.prepare.step import Place, Step, count

LATEST = f"{IMAGE}:latest"
IN_ECR = f"$REGISTRY/{REPOSITORY}"
"""The labs' repository; ``$REGISTRY`` stands for the registry of the place."""
IN_USE = "in-use"
"""The repository that names an image for the container that uses the image."""


def _token(place: Place) -> str:
    """A fresh authorization token: base64 of "AWS:<password>", as Docker's config keeps it."""
    answer = place.client("ecr").get_authorization_token()
    return str(answer["authorizationData"][0]["authorizationToken"])


def logged_out() -> Step:
    """Docker keeps no login. Left out on AWS: those logins are the learner's own."""

    def ensure(place: Place) -> None:
        _keep_logins(place, {})

    return Step("Docker is not logged in anywhere", ensure, on_aws=False)


def logged_in() -> Step:
    """Docker keeps a fresh login to the learner's registry, and no other.

    On AWS as well, where the labs use a Docker configuration of their own (aws_session.py).
    """

    def ensure(place: Place) -> None:
        _keep_logins(place, {place.registry: {"auth": _token(place)}})

    return Step("Docker is logged in to the registry", ensure)


def built(image: str = LATEST, folder: str = "06") -> Step:
    """The image of a lab's Dockerfile is in the local engine."""

    def ensure(place: Place) -> None:
        with _taking_name(place, image):
            # without rm, the SDK has a real daemon keep the containers that it built in
            place.docker.images.build(path=str(place.files / folder), tag=image, rm=True)

    def gone(place: Place) -> bool:
        return _id(place, image) is None

    return Step(f"image {image} is built", ensure, gone, engine=True)


def tagged(image: str = LATEST, repository: str = REPOSITORY, tag: str = "latest") -> Step:
    """The local image also has the name under which it is pushed."""

    def ensure(place: Place) -> None:
        name = f"{place.registry}/{repository}"
        with _taking_name(place, f"{name}:{tag}"):
            place.docker.images.get(image).tag(name, tag)

    def gone(place: Place) -> bool:
        return _id(place, f"{place.registry}/{repository}:{tag}") is None

    return Step(f"image {image} is tagged for {repository}:{tag}", ensure, gone, engine=True)


def no_local_images(*repositories: str) -> Step:
    """The engine has no image of these repositories, nor any that lost its name.

    What was built before decides what a build takes from the cache and what a pull still has to
    fetch, so a lab that prints either starts without. An image that has a name of the learner's
    own, or on which another image was built, stays. In front of a real daemon, images without a
    name stay as well: they may be the learner's. An image that a container uses stays under the
    name ``in-use:CONTAINER`` until a later lab finds the container gone. Left out on AWS: Docker
    there is the learner's.
    """

    def ensure(place: Place) -> None:
        _forget_ended_containers(place)
        take_names(place, repositories, place.removed)
        if _is_embedded(place):
            unnamed = len(place.docker.images.list(filters={"dangling": True}))
            place.docker.images.prune()
            if unnamed:
                place.removed.append(f"{count(unnamed, 'image')} without a name")

    short = [name.rpartition("/")[2] for name in repositories]
    return Step(f"no local image of {' or '.join(short)}", ensure, on_aws=False, engine=True)


def take_names(place: Place, repositories: Sequence[str], removed: list[str]) -> None:
    """Take every local image's names in these repositories away, and add each to ``removed``.

    In the labs' own engine, the image's other names in the labs' registry go as well: labs push
    one image to several repositories. An image is deleted with its last name, unless another image
    was built on it (https://docs.docker.com/reference/cli/docker/image/rm/). Docker refuses to take
    the last name of an image that a container uses, stopped or running: such an image first gets a
    name for the container, and ``Place.kept`` says so. Raises LabsError when Docker refuses.
    """
    embedded = _is_embedded(place)
    users = _users(place)
    for repository in (one.replace("$REGISTRY", place.registry) for one in repositories):
        for image in place.docker.images.list(repository):
            used = users.get(str(image.id), {})
            if used:
                _keep(place, image, used)
            for name in _names(image):
                if used and "@" in name:
                    continue  # no tag is in the way, and Docker counts no digest as another name
                if _repository(name) == repository or (
                    embedded and name.startswith(f"{place.registry}/")
                ):
                    _take(place, name)
                    removed.append(f"image {name}")


def _users(place: Place) -> dict[str, dict[str, str]]:
    """The containers of each image, stopped ones and created ones too: short id -> how it goes."""
    found: dict[str, dict[str, str]] = {}
    for one in place.docker.api.containers(all=True):
        short = str(one["Id"])[:12]
        found.setdefault(str(one["ImageID"]), {})[short] = _end_of(short, one["Labels"] or {})
    return found


def _end_of(container: str, labels: Mapping[str, str]) -> str:
    """How a learner ends a container: that of a task by ECS, which else takes it for a failure.

    The labels: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-examples.html
    """
    task = labels.get("com.amazonaws.ecs.task-arn")
    if task is None:
        return f"to remove the container: docker rm -f {container}"
    cluster = labels.get("com.amazonaws.ecs.cluster", "default").rpartition("/")[2]
    return (
        "it is of a task of ECS, and a service starts another until its --desired-count is 0; "
        f"to stop the task: aws ecs stop-task --cluster {cluster} --task {task}"
    )


def _keep(place: Place, image: Any, containers: Mapping[str, str]) -> None:
    """Name an image for the containers that use it, and say so."""
    names = ", ".join(name for name in image.tags if _repository(name) != IN_USE) or image.short_id
    for container, end in containers.items():
        image.tag(IN_USE, container)
        # an image with names in two of the lab's repositories comes here twice
        stays = f"both stay, the image as {IN_USE}:{container}; {end}"
        if not any(said.endswith(stays) for said in place.kept):
            place.kept.append(f"a container uses the image {names}: {stays}")


def _forget_ended_containers(place: Place) -> None:
    """Take the names away that images got for containers which are gone.

    Another container may use the image meanwhile, as a task that pulled the image by digest: the
    image is named for that container first, since Docker refuses to take the last name.
    """
    users = _users(place)
    there = {container for found in users.values() for container in found}
    for image in place.docker.images.list(IN_USE):
        named = [name for name in image.tags if _repository(name) == IN_USE]
        ended = [name for name in named if name.rpartition(":")[2] not in there]
        if ended and (used := users.get(str(image.id))):
            _keep(place, image, used)
        for name in ended:
            _take(place, name)
            place.removed.append(f"image {name}")


def _names(image: Any) -> list[str]:
    """An image's tags, and its digests in repositories where it has no tag.

    Where it has one, Docker takes the digest away with the last tag.
    """
    tagged = {_repository(name) for name in image.tags}
    digests = image.attrs.get("RepoDigests") or ()
    return [*image.tags, *(name for name in digests if _repository(name) not in tagged)]


def _take(place: Place, name: str) -> None:
    try:
        # by name and without force: the image stays where anything else needs it
        place.docker.images.remove(name)
    except docker.errors.APIError as error:
        raise LabsError(
            f"The local image {name} is in the way, and Docker does not remove it:\n"
            f"  {error.explanation or error}\n"
            "If a container uses the image, remove the container (docker ps --all lists them), or "
            f"give the image a name of your own:\n  docker tag {name} my-own-name\n"
            f"  docker rmi {name}"
        ) from error


def _is_embedded(place: Place) -> bool:
    engine = process.running(place.workspace)
    return engine is None or engine.choice.kind == EMBEDDED


def _repository(name: str) -> str:
    """What comes before the tag or the digest; Docker Hub's is left out, as Docker does."""
    found = name.partition("@")[0] if "@" in name else name.rpartition(":")[0]
    return found.removeprefix("docker.io/library/")


def _keep_logins(place: Place, auths: dict[str, dict[str, str]]) -> None:
    """Make these the only logins that Docker's configuration keeps."""
    path = place.workspace.docker / "config.json"
    kept = read_json(path)
    had = kept.pop("auths", None)
    if had is None and not auths:
        return
    write_json(path, {**kept, "auths": auths} if auths else kept)
    # anything else than an object is a file that was edited by hand, which Docker cannot read
    hosts = sorted({*had} - {*auths}) if isinstance(had, dict) else []
    place.removed.extend(f"Docker's login to {host}" for host in hosts)


@contextmanager
def _taking_name(place: Place, name: str) -> Iterator[None]:
    """Say of what image the step inside took this name, if it did."""
    before = _id(place, name)
    yield
    if before and before != _id(place, name):
        short = before.removeprefix("sha256:")[:12]
        place.removed.append(f"the name {name} of image {short}; the image itself stays")


def _id(place: Place, name: str) -> str | None:
    try:
        return str(place.docker.images.get(name).id)
    except docker.errors.ImageNotFound:
        return None


def pushed(repository: str = REPOSITORY, tag: str = "latest", image: str = LATEST) -> Step:
    """The image is in the repository under the tag, whatever Docker is logged in to."""

    def ensure(place: Place) -> None:
        user, _, password = base64.b64decode(_token(place)).decode().partition(":")
        name = f"{place.registry}/{repository}"
        with _taking_name(place, f"{name}:{tag}"):
            place.docker.images.get(image).tag(name, tag)
        stream = place.docker.images.push(
            name,
            tag,
            stream=True,
            decode=True,
            auth_config={"username": user, "password": password},
        )
        for message in stream:
            if "error" in message:
                raise docker.errors.APIError(f"push of {name}:{tag}: {message['error']}")

    def gone(place: Place) -> bool:
        ecr = place.client("ecr")
        try:
            ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except (
            ecr.exceptions.RepositoryNotFoundException,
            ecr.exceptions.ImageNotFoundException,
        ):
            return True
        return False

    return Step(f"{repository}:{tag} is in the registry", ensure, gone)
