"""Docker's side: its logins and its local images."""

from __future__ import annotations

import base64

import docker.errors

from labs_helpers.defaults import ACCOUNT, IMAGE, REGION, REPOSITORY, registry
from labs_helpers.engine import process
from labs_helpers.engine.choice import EMBEDDED
from labs_helpers.prepare.step import Place, Step
from labs_helpers.workspace import read_json, write_json

LATEST = f"{IMAGE}:latest"
IN_ECR = f"{registry(ACCOUNT, REGION)}/{REPOSITORY}"


def _token(place: Place) -> str:
    """A fresh authorization token: base64 of "AWS:<password>", as Docker's config keeps it."""
    answer = place.client("ecr").get_authorization_token()
    return str(answer["authorizationData"][0]["authorizationToken"])


def logged_out() -> Step:
    """Docker keeps no login. Left out on AWS: those logins are the learner's own."""

    def ensure(place: Place) -> None:
        path = place.workspace.docker / "config.json"
        if kept := read_json(path):
            write_json(path, {name: value for name, value in kept.items() if name != "auths"})

    return Step("Docker is not logged in anywhere", ensure, on_aws=False)


def logged_in() -> Step:
    """Docker keeps a fresh login to the learner's registry, and no other."""

    def ensure(place: Place) -> None:
        path = place.workspace.docker / "config.json"
        auths = {place.registry: {"auth": _token(place)}}
        write_json(path, {**read_json(path), "auths": auths})

    return Step("Docker is logged in to the registry", ensure, on_aws=False)


def built(image: str = LATEST, folder: str = "06") -> Step:
    """The image of a lab's Dockerfile is in the local engine."""

    def ensure(place: Place) -> None:
        # without rm, the SDK has a real daemon keep the containers that it built in
        place.docker.images.build(path=str(place.files / folder), tag=image, rm=True)

    return Step(f"image {image} is built", ensure)


def tagged(image: str = LATEST, repository: str = REPOSITORY, tag: str = "latest") -> Step:
    """The local image also has the name under which it is pushed."""

    def ensure(place: Place) -> None:
        place.docker.images.get(image).tag(f"{place.registry}/{repository}", tag)

    return Step(f"image {image} is tagged for {repository}:{tag}", ensure)


def no_local_images(*repositories: str) -> Step:
    """The engine has no image of these repositories, nor any that lost its name.

    What was built before decides what a build takes from the cache and what a pull still has to
    fetch, so a lab that prints either starts without. Left out on AWS: Docker there is the
    learner's own. In front of a real daemon only these names are taken away: what else has no
    name there may be the learner's.
    """

    def ensure(place: Place) -> None:
        images = place.docker.images
        engine = process.running(place.workspace)
        shared = engine is not None and engine.choice.kind != EMBEDDED
        for repository in repositories:
            for image in images.list(repository):
                if not shared:
                    images.remove(image.id, force=True)
                    continue
                for name in image.tags:
                    if name.rpartition(":")[0].removeprefix("docker.io/library/") == repository:
                        images.remove(name)
        if not shared:
            images.prune()

    short = [name.rpartition("/")[2] for name in repositories]
    return Step(f"no local image of {' or '.join(short)}", ensure, on_aws=False)


def pushed(repository: str = REPOSITORY, tag: str = "latest", image: str = LATEST) -> Step:
    """The image is in the repository under the tag, whatever Docker is logged in to."""

    def ensure(place: Place) -> None:
        user, _, password = base64.b64decode(_token(place)).decode().partition(":")
        name = f"{place.registry}/{repository}"
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

    return Step(f"{repository}:{tag} is in the registry", ensure)
