"""What the policies of a role let it do with ECR, by IAM's policy simulator."""

from __future__ import annotations

from collections.abc import Iterable

from labs_helpers.checks.ecr_actions import CHANGES, PULL
from labs_helpers.checks.least_privilege import neighbours
from labs_helpers.checks.permissions import Permission, Role, of_ecr
from labs_helpers.checks.world import World

COLLEAGUES = ("demo-app",)
"""The repository that the colleague's file names, which is none of the shop's."""


def may_pull(world: World, role: str) -> bool:
    """Whether a role may pull from the labs' repository; False without the role."""
    tried = _pulls(world, [world.repository])
    return _role(world, role).allowed(tried) == tried


def may_log_in(world: World, role: str) -> bool:
    """Whether a role may get a token of ECR, which is for no one repository; False without it."""
    tried = [Permission("ecr:GetAuthorizationToken", "*", world.region)]
    return _role(world, role).allowed(tried) == tried


def first_too_many(world: World, role: str) -> str | None:
    """The first action of a pull that the role may ever do on another repository, in words."""
    tried = _pulls(world, [*neighbours(world.repository), *COLLEAGUES])
    found = _role(world, role).first_allowed(tried)
    return None if found is None else str(found)


def first_change(world: World, role: str) -> str | None:
    """The first action that changes ECR, or the role's own rights, and is allowed, in words."""
    tried = of_ecr(CHANGES, _arn(world, world.repository), world.region)
    # whoever may change the role's policies may do the rest, too
    the_role = _role(world, role)
    found = the_role.first_allowed([*tried, *the_role.over_itself(world.region)])
    return None if found is None else str(found)


def _pulls(world: World, repositories: Iterable[str]) -> list[Permission]:
    arns = [_arn(world, name) for name in repositories]
    return [Permission(f"ecr:{name}", arn, world.region) for name in PULL for arn in arns]


def _arn(world: World, repository: str) -> str:
    return f"arn:aws:ecr:{world.region}:{world.account}:repository/{repository}"


def _role(world: World, name: str) -> Role:
    return Role(world.client("iam"), name, world.now())
