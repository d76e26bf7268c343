"""The images of a task: resolved and pulled with the rights of the execution role.

The engine asks the registry over /v2/, with the password that GetAuthorizationToken gave to the
execution role. The registry decides.
"""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference
from labs_helpers.runner import task_failures as failures
from labs_helpers.runner.engine_client import Engine, EngineRefused, quoted

ECR = ".dkr.ecr"
"""In the host name of each private registry of Amazon ECR."""
_ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}


@dataclass(frozen=True)
class Resolved:
    """What a registry has under a reference: the digest, the platforms, and whether an index of
    several images is there."""

    digest: str
    platforms: list[dict[str, Any]]
    several: bool


def resolve(engine: Engine, reference: Reference, login: dict[str, str] | None) -> Resolved:
    """Ask the registry over /v2/. Raises EngineRefused."""
    path = f"/distribution/{quoted(str(reference))}/json"
    found = engine.ask("GET", path, login=login)
    several = any(word in found["Descriptor"]["mediaType"] for word in ("index", "list"))
    return Resolved(str(found["Descriptor"]["digest"]), found["Platforms"] or [], several)


def ecr_login(ecr: Any) -> dict[str, str]:
    """User name and password for a registry of ECR. Raises ClientError, BotoCoreError."""
    found = ecr.get_authorization_token()
    token = base64.b64decode(found["authorizationData"][0]["authorizationToken"])
    user, _, password = token.decode().partition(":")
    return {"username": user, "password": password}


@dataclass(frozen=True)
class Pulled:
    """name: by which the engine has the image; digest: that the tag led to; foreign: the image is
    a single one, for another architecture than the task's."""

    name: str
    digest: str
    foreign: bool


class Images:
    """The images of one task. `close` lets go of those that only tasks had."""

    def __init__(self, engine: Engine, client: Callable[[str], Any], runtime: Mapping[str, str]):
        """client: of a service, with the execution role's rights; runtime: runtimePlatform."""
        self._engine = engine
        self._client = client
        self._architecture = _ARCHITECTURES[runtime.get("cpuArchitecture") or "X86_64"]
        self._login: dict[str, str] | None = None
        self._held: list[str] = []

    @property
    def platform(self) -> str:
        return f"linux/{self._architecture}"

    def pull(self, image: str, digest: str) -> Pulled:
        """Pull an image; digest: that it has to have, or empty. Raises CannotRun."""
        try:
            reference = references.parse(image)
        except InvalidReference as error:
            raise failures.CannotRun(
                f"CannotPullContainerError: failed to parse image reference {image}: {error}"
            ) from error
        if digest and not reference.digest:
            reference = Reference(reference.domain, reference.path, None, digest)
        login = self._auth(reference)
        try:
            found = resolve(self._engine, reference, login)
        except EngineRefused as error:
            raise failures.not_resolved(reference, error) from error
        platforms = [each for each in found.platforms if each.get("os") == "linux"]
        fits = any(each.get("architecture") == self._architecture for each in platforms)
        if found.several and not fits:
            raise failures.no_platform(self.platform)
        name = f"{reference.name}@{found.digest}"
        shelf.take(self._engine, name)
        self._held.append(name)
        try:
            platform = self.platform if found.several else ""
            self._engine.pull(reference.name, found.digest, platform, login)
        except EngineRefused as error:
            raise failures.not_pulled(error) from error
        return Pulled(name, found.digest, not fits)

    def close(self) -> None:
        for name in self._held:
            shelf.give_back(self._engine, name)
        self._held = []

    def _auth(self, reference: Reference) -> dict[str, str] | None:
        """The login for ECR; None for a public registry."""
        if ECR not in reference.domain:
            return None
        if self._login is None:
            try:
                self._login = ecr_login(self._client("ecr"))
            except (ClientError, BotoCoreError) as error:
                raise failures.no_registry_auth(error) from error
        return {**self._login, "serveraddress": reference.domain}


class _Shelf:
    """The images that the jobs of this runner hold in the learner's engine."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._own: set[str] = set()
        self._lock = threading.Lock()

    def take(self, engine: Engine, name: str) -> None:
        with self._lock:
            if not self._counts.get(name) and not _is_there(engine, name):
                self._own.add(name)
            self._counts[name] = self._counts.get(name, 0) + 1

    def give_back(self, engine: Engine, name: str) -> None:
        """Remove an image that the learner did not have, once no job uses the image."""
        with self._lock:
            self._counts[name] -= 1
            if self._counts[name] or name not in self._own:
                return
            self._own.discard(name)
            with contextlib.suppress(EngineRefused):  # the learner uses the image now
                engine.ask("DELETE", f"/images/{quoted(name)}")


shelf = _Shelf()


def _is_there(engine: Engine, name: str) -> bool:
    try:
        engine.ask("GET", f"/images/{quoted(name)}/json")
    except EngineRefused:
        return False
    return True
