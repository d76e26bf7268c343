"""The roles of actions: the pipeline's, or the action's own, which the pipeline's role takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.iam.service_roles import Assumed, Principal, ServiceRoles

CODEPIPELINE = Principal("codepipeline.amazonaws.com", "CodePipeline")
PREFIX = "codepipeline="
"""How the name of a pipeline's session begins; CodeBuild reads the initiator of builds from it."""


class Sessions:
    """A session for each attempt at an action; used by one thread."""

    def __init__(self, roles: ServiceRoles) -> None:
        self._roles = roles
        self._taken: dict[str, Callable[[str], Any]] = {}

    def clients(
        self,
        attempt: str,
        declaration: Mapping[str, Any],
        action: Mapping[str, Any],
        place: tuple[str, str],
    ) -> Callable[[str], Any]:
        """Makes clients with the rights of an action; raises RoleRefused, ClientError."""
        if attempt not in self._taken:
            taken = self.of_pipeline(declaration, place)
            if role := action.get("roleArn"):
                taken = taken.then(role, taken.session.facts.name)
            self._taken[attempt] = _kept(taken)
        return self._taken[attempt]

    def of_pipeline(self, declaration: Mapping[str, Any], place: tuple[str, str]) -> Assumed:
        """A session of the pipeline's role; raises RoleRefused."""
        return self._roles.assume(
            declaration["roleArn"],
            CODEPIPELINE,
            f"{PREFIX}{declaration['name']}",
            place[1],
            keys(declaration["name"], place),
        )

    def forget(self, attempt: str) -> None:
        """The attempt has ended."""
        self._taken.pop(attempt, None)


def keys(name: str, place: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    """The condition keys of a pipeline that takes a role."""
    arn = f"arn:aws:codepipeline:{place[1]}:{place[0]}:{name}"
    return {"aws:sourcearn": (arn,), "aws:sourceaccount": (place[0],)}


def _kept(taken: Assumed) -> Callable[[str], Any]:
    """One client of each service, since making a client takes long."""
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = taken.client(service)
        return made[service]

    return client
