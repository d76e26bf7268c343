"""The image of a build's environment: had over /v2/, with the rights that the project says.

SERVICE_ROLE asks with the rights of the project's role, CODEBUILD with those of CodeBuild's own
principal, which the repository's policy has to let in:
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectEnvironment.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference
from labs_helpers.runner.engine_client import Engine, EngineRefused, quoted
from labs_helpers.runner.sources import words
from labs_helpers.runner.task_images import ECR, ecr_login, resolve, shelf

_CURATED = ("aws/codebuild/", "public.ecr.aws/codebuild/")
"""https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html"""
_ARCHITECTURES = {"LINUX_CONTAINER": "amd64", "ARM_CONTAINER": "arm64"}
_STAND_IN = "labs.stand-in"
"""The label of the labs' stand-in images, and of all that is built from one."""

CODE = "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"
_REFUSED = "Unable to pull customer's container image. CannotPullContainerError: "
"""https://github.com/aws/aws-codebuild-jenkins-plugin/issues/106 and
https://github.com/kalrish/aws-csgo/issues/6 show the whole message."""


class NoImage(Exception):
    """The image cannot be had; the message is that of the phase PROVISIONING."""


@dataclass(frozen=True)
class BuildImage:
    """name: by which the engine has the image; environment: the image's variables; is_stand_in:
    whether the image is, or is built from, one of the labs' hub."""

    name: str
    environment: Mapping[str, str]
    is_stand_in: bool


def is_curated(image: str) -> bool:
    """Whether an image is one of CodeBuild's own, which nobody else may have."""
    return image.startswith(_CURATED)


def pull(engine: Engine, build: Mapping[str, Any], login: Login) -> BuildImage:
    """Pull the image of a build's environment; `let_go` of the image after the build.

    Raises NoImage, and EngineRefused with the status 0 where no engine answers.
    """
    environment = build["environment"]
    try:
        reference = references.parse(environment["image"])
    except InvalidReference as error:
        raise NoImage(f"{_REFUSED}invalid reference format: {error}") from error
    auth = login.of(reference)
    architecture = _ARCHITECTURES[environment["type"]]
    try:
        found = resolve(engine, reference, auth)
    except EngineRefused as error:
        raise _no_manifest(reference, error) from error
    platforms = [each.get("architecture") for each in found.platforms]
    if architecture not in platforms:
        raise NoImage(
            f"{_REFUSED}no matching manifest for linux/{architecture} in the manifest list entries"
            if found.several
            else f"{_REFUSED}image operating system or architecture does not match: the image is "
            f"for {', '.join(map(str, platforms))}, the environment for {architecture}"
        )
    name = f"{reference.name}@{found.digest}"
    shelf.take(engine, name)
    try:
        platform = f"linux/{architecture}" if found.several else ""
        engine.pull(reference.name, found.digest, platform, auth)
        config = engine.ask("GET", f"/images/{quoted(name)}/json")["Config"] or {}
    except EngineRefused as error:
        shelf.give_back(engine, name)
        raise NoImage(f"{_REFUSED}Error response from daemon: {error}") from error
    pairs = (each.partition("=") for each in config.get("Env") or [])
    label = (config.get("Labels") or {}).get(_STAND_IN)
    return BuildImage(name, {key: value for key, _, value in pairs}, label == "true")


def let_go(engine: Engine, image: BuildImage) -> None:
    """Remove the image from the learner's engine, if only builds and tasks had the image."""
    shelf.give_back(engine, image.name)


@dataclass(frozen=True)
class Login:
    """The login for Amazon ECR.

    client: of a service, with the rights of the project's role; password: of CodeBuild's own
    principal, "" where the role asks.
    """

    client: Callable[[str], Any]
    password: str

    def of(self, reference: Reference) -> dict[str, str] | None:
        """The login for an image's registry; None for a public one. Raises NoImage."""
        if ECR not in reference.domain:
            return None
        login = {"username": "AWS", "password": self.password}
        if not self.password:
            try:
                login = ecr_login(self.client("ecr"))
            except ClientError as error:
                raise NoImage(_no_token(words(error))) from error
            except BotoCoreError as error:
                raise NoImage(_no_token(str(error))) from error
        return {**login, "serveraddress": reference.domain}


def _no_token(said: str) -> str:
    """In the words of ECS's agent, whose words CodeBuild passes on.

    https://github.com/aws/amazon-ecs-agent/blob/master/agent/dockerclient/dockerapi/errors.go
    """
    return f"Unable to pull customer's container image. CannotPullECRContainerError: {said}"


def _no_manifest(reference: Reference, refused: EngineRefused) -> Exception:
    """The registry refused the manifest: in dockerd's words for such a pull."""
    if refused.status == 0:
        return refused
    if refused.status in (401, 403):
        said = (
            f"pull access denied for {reference.name}, repository does not exist or may require "
            f"'docker login': {refused}"
        )
    elif refused.status == 404:
        said = f"manifest for {reference} not found: {refused}"
    else:
        said = str(refused)
    return NoImage(f"{_REFUSED}Error response from daemon: {said}")
