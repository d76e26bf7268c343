"""What the policies of a role let it do with ECR, by IAM's policy simulator.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from labs_helpers.checks.ecr_actions import PULL
from labs_helpers.checks.least_privilege import neighbours
from labs_helpers.checks.world import World

COLLEAGUES = ("demo-app",)
"""The repository that the colleague's file names, which is none of the shop's."""


def may_pull(world: World, role: str) -> bool:
    """Whether a role may pull from the labs' repository; False without the role."""
    return len(_allowed(world, role, [world.repository])) == len(PULL)


def may_log_in(world: World, role: str) -> bool:
    """Whether a role may get a token of ECR, which is for no one repository; False without it."""
    iam = world.client("iam")
    try:
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        return False
    answer = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["ecr:GetAuthorizationToken"], ResourceArns=["*"]
    )
    return all(each["EvalDecision"] == "allowed" for each in answer["EvaluationResults"])


def first_too_many(world: World, role: str) -> str | None:
    """The first action of a pull that the role may do on another repository, in words."""
    found = _allowed(world, role, [*neighbours(world.repository), *COLLEAGUES])
    return found[0] if found else None


def _allowed(world: World, role: str, repositories: list[str]) -> list[str]:
    iam = world.client("iam")
    try:
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        return []
    beginning = f"arn:aws:ecr:{world.region}:{world.account}:repository/"
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=arn,
        ActionNames=[f"ecr:{name}" for name in PULL],
        ResourceArns=[beginning + name for name in repositories],
    )
    return [
        f"{result['EvalActionName']} on {one['EvalResourceName']}"
        for result in pages.search("EvaluationResults[]")
        for one in result.get("ResourceSpecificResults")
        or [
            {
                "EvalResourceName": result["EvalResourceName"],
                "EvalResourceDecision": result["EvalDecision"],
            }
        ]
        if one["EvalResourceDecision"] == "allowed"
    ]
