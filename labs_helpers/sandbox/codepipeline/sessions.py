"""The roles of actions: the pipeline's, or the action's own, which the pipeline's role takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labs_helpers.sandbox.iam.service_roles import Assumed, Principal, ServiceRoles
from labs_helpers.sandbox.identity import Authorize

CODEPIPELINE = Principal("codepipeline.amazonaws.com", "CodePipeline")
PREFIX = "codepipeline="
"""How the name of a pipeline's session begins; CodeBuild reads the initiator of builds from it."""


class Session:
    """A role that an attempt at an action has; makes one client of each service."""

    def __init__(self, taken: Assumed, authorize: Authorize) -> None:
        self.taken = taken
        self._authorize = authorize
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client with the role's rights; making one takes long, and so it is kept."""
        if service not in self._clients:
            self._clients[service] = self.taken.client(service)
        return self._clients[service]

    def require(self, action: str, resource: str) -> None:
        """Raise AccessDenied unless the role may do this."""
        self._authorize(self.taken.session.principal, action, resource, {})


class Sessions:
    """A session for each attempt at an action."""

    def __init__(self, roles: ServiceRoles, authorize: Authorize) -> None:
        self._roles = roles
        self._authorize = authorize
        self._taken: dict[str, Session] = {}

    def of(
        self,
        attempt: str,
        declaration: Mapping[str, Any],
        action: Mapping[str, Any],
        place: tuple[str, str],
    ) -> Session:
        """The session of an attempt; raises RoleRefused, ClientError. For one thread."""
        if attempt not in self._taken or not self._roles.lasts(self._taken[attempt].taken):
            self._taken[attempt] = Session(self.take(declaration, action, place), self._authorize)
        return self._taken[attempt]

    def take(
        self, declaration: Mapping[str, Any], action: Mapping[str, Any], place: tuple[str, str]
    ) -> Assumed:
        """A new session of an action's role; raises RoleRefused, ClientError."""
        taken = self.of_pipeline(declaration, place)
        if role := action.get("roleArn"):
            taken = taken.then(role, taken.session.facts.name)
        return taken

    def environment(
        self, declaration: Mapping[str, Any], action: Mapping[str, Any], place: tuple[str, str]
    ) -> dict[str, str]:
        """`fetches.Environment`."""
        return self.take(declaration, action, place).environment

    def of_pipeline(self, declaration: Mapping[str, Any], place: tuple[str, str]) -> Assumed:
        """A session of the pipeline's role; raises RoleRefused."""
        return self._roles.assume(
            declaration["roleArn"],
            CODEPIPELINE,
            f"{PREFIX}{declaration['name']}",
            place[1],
            keys(declaration["name"], place),
        )

    def keep(self, attempts: Iterable[str]) -> None:
        """Forget all but these, which go on, however the others have ended."""
        kept = {*attempts}
        self._taken = {each: made for each, made in self._taken.items() if each in kept}


def keys(name: str, place: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    """The condition keys of a pipeline that takes a role."""
    arn = f"arn:aws:codepipeline:{place[1]}:{place[0]}:{name}"
    return {"aws:sourcearn": (arn,), "aws:sourceaccount": (place[0],)}
