"""A service of ECS, as the checks of labs 10 and 12 look at it: what it runs, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labs_helpers.checks.goal import Finding
from labs_helpers.checks.patience import settled
from labs_helpers.checks.world import World
from labs_helpers.labs.deployment.names import CLUSTER
from labs_helpers.prepare.ecs import newest_reason, tasks_of

_PATIENCE = 30.0
"""Seconds that a check waits for a deployment that still goes on."""


@dataclass(frozen=True)
class Running:
    """A service, its task definition, and all its tasks, the stopped ones too."""

    world: World
    service: dict[str, Any]
    definition: dict[str, Any]
    tasks: list[dict[str, Any]]
    newest: dict[str, Any]
    """The family's newest active revision; empty where there is none."""

    @property
    def name(self) -> str:
        return str(self.service["serviceName"])

    @property
    def family(self) -> str:
        return str(self.definition["family"])

    @property
    def container(self) -> dict[str, Any]:
        return dict(self.definition["containerDefinitions"][0])

    @property
    def image(self) -> str:
        return str(self.container.get("image", ""))

    @property
    def newest_image(self) -> str:
        """The image of the family's newest active revision; empty where there is none."""
        containers = self.newest.get("containerDefinitions", [{}])
        return str(containers[0].get("image", ""))

    @property
    def taken_back(self) -> str:
        """Why no task of the newest revision runs, where the service has left that revision."""
        arn = self.newest.get("taskDefinitionArn")
        if arn == self.definition["taskDefinitionArn"]:
            return ""
        return newest_reason([each for each in self.tasks if each["taskDefinitionArn"] == arn])

    @property
    def live(self) -> list[dict[str, Any]]:
        """The tasks that are to run; a task of before that still ends, by its grace, is not."""
        return [
            each
            for each in self.tasks
            if each["desiredStatus"] == "RUNNING" and each["lastStatus"] != "STOPPED"
        ]

    def is_tagged(self, *tags: str) -> bool:
        """Whether the image is one of these tags of the labs' repository."""
        return self.image in self._tagged(tags)

    def newest_is_tagged(self, *tags: str) -> bool:
        """Whether the newest revision has one of these tags, or there is no active revision."""
        return self.newest_image in ["", *self._tagged(tags)]

    def _tagged(self, tags: Sequence[str]) -> list[str]:
        return [f"{self.world.host()}/{self.world.repository}:{tag}" for tag in tags]

    @property
    def _deployment(self) -> dict[str, Any]:
        """The newest deployment. A service that CodeDeploy deploys has none of ECS's own:
        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
        """
        return dict(next(iter(self.service["deployments"]), {"rolloutState": "COMPLETED"}))

    @property
    def has_ended(self) -> bool:
        """Whether nothing of the deployment goes on, or a task of it has failed."""
        if self._deployment.get("rolloutState") == "FAILED" or self._deployment.get("failedTasks"):
            return True
        complete = self._deployment.get("rolloutState") == "COMPLETED"
        alone = len(self.service["deployments"]) < 2
        return alone and complete and len(self.live) == self.service["desiredCount"]

    @property
    def looked_at(self) -> str:
        return f"the image in the revision that the service {self.name} runs"

    def runs(self, wanted: int) -> Finding | None:
        """Whether so many tasks of the service's own revision run, and no others."""
        looked_at = f"the tasks of the service {self.name}"
        state = self._deployment.get("rolloutState", "")
        if self.service["desiredCount"] != wanted:
            return Finding(
                looked_at,
                f"{self.service['desiredCount']} wanted by the service",
                "how many tasks should the service keep?",
            )
        if self.has_ended and state == "COMPLETED" and len(self.live) == wanted:
            return None
        running = [each for each in self.live if each["lastStatus"] == "RUNNING"]
        newest = self._deployment.get("id")
        why = newest_reason([each for each in self.tasks if each.get("startedBy") == newest])
        return Finding(
            looked_at,
            f"{len(running)} of {wanted} run, the deployment is {state}"
            + (f"\n{why}" if why else ""),
            "read the reason to the end of the line"
            if why
            else "a deployment takes some seconds: watch it with lab.service, then check again",
        )


def look(world: World, name: str, patience: float = _PATIENCE) -> Running | None:
    """The service, once its deployment has ended or a task of it has failed; None without it.

    patience: the most seconds to wait for a deployment that goes on.
    """
    return settled(
        lambda: _look(world, name),
        lambda found: found is not None and not found.has_ended,
        patience,
    )


def _look(world: World, name: str) -> Running | None:
    ecs = world.client("ecs")
    try:
        services = ecs.describe_services(cluster=CLUSTER, services=[name])["services"]
    except ecs.exceptions.ClusterNotFoundException:
        return None
    if not services or services[0]["status"] != "ACTIVE":
        return None
    tasks = tasks_of(ecs, services[0], CLUSTER)
    described = ecs.describe_task_definition(taskDefinition=services[0]["taskDefinition"])
    definition = described["taskDefinition"]
    return Running(world, services[0], definition, tasks, _newest(ecs, definition["family"]))


def _newest(ecs: Any, family: str) -> dict[str, Any]:
    try:
        return dict(ecs.describe_task_definition(taskDefinition=family)["taskDefinition"])
    except ecs.exceptions.ClientException:  # no revision of the family is active
        return {}
