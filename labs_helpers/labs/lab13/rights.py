"""What the two roles of the pipeline may do, by IAM's policy simulator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from labs_helpers.checks.ecr_actions import CHANGES, PUSH
from labs_helpers.checks.goal import Finding
from labs_helpers.checks.permissions import Permission, Role, of_ecr
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import deployed
from labs_helpers.labs.delivery.names import CLUSTER, SERVICE
from labs_helpers.labs.delivery.release import Release
from labs_helpers.labs.lab13 import elsewhere

BUILD, PIPELINE_ROLE = "demo-app-build", "demo-app-pipeline"
_OTHERS = "demo-app-other"
"""A repository that is none of this pipeline's."""


@dataclass(frozen=True)
class Roles:
    """The roles of the pipeline.

    release: of the commit that is to arrive; later: the subjects of the commits after that one, the
    newest first.
    """

    release: Release
    later: tuple[str, ...] = ()

    @property
    def world(self) -> World:
        return self.release.world

    def allowed(self, role: str, tried: Iterable[Permission]) -> list[Permission]:
        """Which of some permissions a role has; none without the role."""
        return self._role(role).allowed(tried)

    def first_allowed(self, role: str, tried: Iterable[Permission]) -> Permission | None:
        """The first permission that a role can ever have; none without the role."""
        return self._role(role).first_allowed(tried)

    def _role(self, name: str) -> Role:
        return Role(self.world.client("iam"), name, self.world.now())

    def of(self, action: str, resource: str) -> Permission:
        """A permission on a resource of this account and region, as "ecr:repository/shop"."""
        if resource == "*":
            return Permission(action, "*", self.world.region)
        service, _, name = resource.partition(":")
        arn = f"arn:aws:{service}:{self.world.region}:{self.world.account}:{name}"
        return Permission(action, arn, self.world.region)

    @cached_property
    def has_arrived(self) -> bool:
        """Whether the pipeline has brought the commit to the service, now or earlier."""
        return any(
            one["status"] == "Succeeded"
            and deployed.of_commit([one], self.release.commit) is not None
            for one in self.release.executions
        )

    @cached_property
    def elsewhere(self) -> str:
        """What was given rights instead of the two roles, in words; "" for nothing."""
        begun = [
            one["startTime"]
            for one in self.release.executions
            if deployed.of_commit([one], self.release.commit) is not None
        ]
        return elsewhere.given(self.world, min(begun, default=None), (BUILD, PIPELINE_ROLE))

    @property
    def push(self) -> list[Permission]:
        place = f"ecr:repository/{self.world.repository}"
        return [self.of(f"ecr:{name}", place) for name in PUSH]

    def changes(self) -> list[Permission]:
        """Every action that changes something in ECR, but those of a push."""
        repository = self.of("ecr:PutImage", f"ecr:repository/{self.world.repository}").resource
        changes = (name for name in CHANGES if name not in PUSH)
        return of_ecr(changes, repository, self.world.region)

    def over_itself(self, role: str) -> list[Permission]:
        """The actions by which a role would change its own rights."""
        return self._role(role).over_itself(self.world.region)

    @property
    def update(self) -> Permission:
        return self.of("ecs:UpdateService", f"ecs:service/{CLUSTER}/{SERVICE}")

    @property
    def are_as_the_auditors_left_them(self) -> bool:
        """Whether a push still fails at its last step, and nobody may deploy."""
        return (
            [one.action for one in self.push if one not in self.allowed(BUILD, self.push)]
            == ["ecr:PutImage"]
            and not self.allowed(PIPELINE_ROLE, [self.update])
            and first_too_many(self) is None
        )


def build_may_push(given: Roles) -> Finding | None:
    """The build's role has every action of a push."""
    has = given.allowed(BUILD, given.push)
    lacks = next((one for one in given.push if one not in has), None)
    if lacks is None:
        return None
    return _lacks(given, BUILD, lacks, "the end of the build's log names the right that is missing")


def pipeline_may_deploy(given: Roles) -> Finding | None:
    """The pipeline's role may update the service."""
    if given.allowed(PIPELINE_ROLE, [given.update]):
        return None
    return _lacks(
        given,
        PIPELINE_ROLE,
        given.update,
        "the box of the stage Deploy names the right that is missing",
    )


def _lacks(given: Roles, role: str, lacks: Permission, where: str) -> Finding:
    looked_at, found = f"what the role {role} may do", f"not allowed: {lacks.action}"
    if not given.elsewhere:
        return Finding(looked_at, found, where)
    return Finding(
        looked_at,
        f"{found}\n{given.elsewhere}",
        f"{where}, and whose it is: the auditors have changed what is written at that role",
    )


def no_more(given: Roles) -> Finding | None:
    """Neither role has a right that its work does not need."""
    found = first_too_many(given)
    if found is None:
        return None
    role, permission = found
    return Finding(
        f"what the role {role} may do",
        f"allowed: {permission}",
        "the work of the role does not need this, and who steals its credentials may do it, too: "
        "what is the one right that is missing?",
    )


def first_too_many(given: Roles) -> tuple[str, Permission] | None:
    """(role, permission) of the first right that is too much."""
    ours, others = (f"ecr:repository/{name}" for name in (given.world.repository, _OTHERS))
    unwanted = {
        BUILD: [
            given.of("ecr:BatchDeleteImage", ours),
            given.of("ecr:DeleteRepository", ours),
            given.of("ecr:SetRepositoryPolicy", ours),
            given.of("ecr:PutImage", others),
            *given.changes(),
            given.update,
            given.of("iam:CreateUser", "*"),
            *given.over_itself(BUILD),
        ],
        PIPELINE_ROLE: [
            given.of("ecr:PutImage", ours),
            *given.changes(),
            given.of("ecs:DeleteService", f"ecs:service/{CLUSTER}/{SERVICE}"),
            given.of("iam:CreateUser", "*"),
            given.of("s3:DeleteBucket", "*"),
            *given.over_itself(PIPELINE_ROLE),
        ],
    }
    for role, tried in unwanted.items():
        if found := given.first_allowed(role, tried):
            return role, found
    return None
