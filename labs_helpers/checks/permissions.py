"""What a user or a role may do, by IAM's policy simulator, which decides and does nothing.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from labs_helpers.checks import request_context
from labs_helpers.checks.ecr_actions import OF_THE_REGISTRY
from labs_helpers.checks.request_context import NOW, Context


class Permission(NamedTuple):
    """An action ("ecr:PutImage") on a resource, an ARN or "*".

    ``region`` is where the request goes. ``context`` holds further condition keys with their
    values, which a real request would bring.
    """

    action: str
    resource: str
    region: str
    context: Context = ()

    def __str__(self) -> str:
        where = "" if self.resource.startswith("arn:") else f" in {self.region}"
        when = "".join(f", where {key} is {value}" for key, value in self.context)
        return f"{self.action} on {self.resource}{where}{when}"


def direct(iam: Any, user: str) -> list[str]:
    """The names of the policies on the user itself, inline and attached."""
    attached = iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
    return [
        *iam.list_user_policies(UserName=user)["PolicyNames"],
        *(one["PolicyName"] for one in attached),
    ]


def groups(iam: Any, user: str) -> list[str]:
    """The names of the groups that a user is in, sorted."""
    return sorted(one["GroupName"] for one in iam.list_groups_for_user(UserName=user)["Groups"])


def listed(value: Any) -> list[Any]:
    """A policy writes one value alone or several in a list."""
    return value if isinstance(value, list) else [value]


def _documents(iam: Any, kind: str, name: str) -> Iterator[Mapping[str, Any]]:
    whose = {f"{kind.capitalize()}Name": name}
    for inline in getattr(iam, f"list_{kind}_policies")(**whose)["PolicyNames"]:
        found = getattr(iam, f"get_{kind}_policy")(**whose, PolicyName=inline)
        yield found["PolicyDocument"]
    for one in getattr(iam, f"list_attached_{kind}_policies")(**whose)["AttachedPolicies"]:
        arn = one["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        yield found["PolicyVersion"]["Document"]


@dataclass(frozen=True)
class User:
    """A user of IAM, and what its policies and those of its groups let it do.

    now: the time by which AWS or the sandbox judges. A question reads the policies as they are.
    """

    iam: Any
    name: str
    now: datetime

    @property
    def statements(self) -> list[Mapping[str, Any]]:
        """The statements of every policy of the user and of its groups."""
        return [
            one for document in self._policies() for one in listed(document.get("Statement", []))
        ]

    def _policies(self) -> Iterator[Mapping[str, Any]]:
        yield from _documents(self.iam, "user", self.name)
        for group in groups(self.iam, self.name):
            yield from _documents(self.iam, "group", group)

    @cached_property
    def brings(self) -> dict[str, str]:
        """The condition keys with which each request of the user comes."""
        user = self.iam.get_user(UserName=self.name)["User"]
        return request_context.of_principal(str(user["Arn"]), _tags(user), str(user["UserId"]))

    @property
    def contexts(self) -> list[Context]:
        """What requests of the user can bring besides, as far as its policies ask for it."""
        return request_context.contexts(self.statements, self.brings, self.now)

    def over_itself(self, region: str) -> list[Permission]:
        """What nobody needs for any work, and what leads to every right: to change one's own.

        The actions of IAM that change the policies of the user, of its groups, and the policies of
        the account's own that are attached to these. region: where the requests go.
        """
        user = self.brings["aws:PrincipalArn"]
        tried = _on(user, "PutUserPolicy AttachUserPolicy DeleteUserPermissionsBoundary", region)
        for group in self.iam.list_groups_for_user(UserName=self.name)["Groups"]:
            arn = str(group["Arn"])
            tried += _on(arn, "PutGroupPolicy AttachGroupPolicy", region)
            tried += self._over_attached("group", str(group["GroupName"]), region)
        return [*tried, *self._over_attached("user", self.name, region)]

    def _over_attached(self, kind: str, name: str, region: str) -> list[Permission]:
        asked = getattr(self.iam, f"list_attached_{kind}_policies")
        attached = asked(**{f"{kind.capitalize()}Name": name})["AttachedPolicies"]
        return [
            permission
            for one in attached
            if ":iam::aws:" not in one["PolicyArn"]  # nobody changes a policy of AWS
            for permission in _on(one["PolicyArn"], "CreatePolicyVersion", region)
        ]

    def allowed(self, wanted: Iterable[Permission]) -> list[Permission]:
        """Those that the policies allow now, in their order."""
        tried = list(wanted)
        found = self._allowed(tried)
        return [one for one in tried if one in found]

    def first_refused(self, wanted: Iterable[Permission]) -> Permission | None:
        """The first permission that the policies do not allow now."""
        tried = list(wanted)
        found = self._allowed(tried)
        return next((one for one in tried if one not in found), None)

    def first_allowed(self, unwanted: Iterable[Permission]) -> Permission | None:
        """The first permission that the policies allow, in any context that a request can have."""
        base = list(unwanted)
        for context in self.contexts:
            tried = [one._replace(context=context) for one in base]
            found = self._allowed(tried)
            if first := next((one for one in tried if one in found), None):
                return first
        return None

    def _allowed(self, tried: list[Permission]) -> set[Permission]:
        brings = {NOW: self.now.strftime("%Y-%m-%dT%H:%M:%SZ"), **self.brings}
        return allowed(self.iam, self.brings["aws:PrincipalArn"], tried, brings)


class Role(User):
    """A role of IAM, and what its policies let its sessions do; nothing where the role is gone."""

    def _policies(self) -> Iterator[Mapping[str, Any]]:
        return _documents(self.iam, "role", self.name)

    @cached_property
    def brings(self) -> dict[str, str]:
        """The condition keys with which each request of the role's sessions comes."""
        role = self.iam.get_role(RoleName=self.name)["Role"]
        return request_context.of_principal(str(role["Arn"]), _tags(role))

    def over_itself(self, region: str) -> list[Permission]:
        """The actions of IAM that change the role's policies, and who takes it; none without it."""
        if not self.is_there:
            return []
        actions = (
            "PutRolePolicy AttachRolePolicy UpdateAssumeRolePolicy DeleteRolePermissionsBoundary"
        )
        tried = _on(self.brings["aws:PrincipalArn"], actions, region)
        return [*tried, *self._over_attached("role", self.name, region)]

    @property
    def is_there(self) -> bool:
        """Whether the role exists."""
        try:
            return bool(self.brings)
        except self.iam.exceptions.NoSuchEntityException:
            return False

    def allowed(self, wanted: Iterable[Permission]) -> list[Permission]:
        """Those that the policies allow now, in their order; none without the role."""
        return super().allowed(wanted) if self.is_there else []

    def first_allowed(self, unwanted: Iterable[Permission]) -> Permission | None:
        """The first permission that the policies allow, in any context; none without the role."""
        return super().first_allowed(unwanted) if self.is_there else None


def of_ecr(actions: Iterable[str], repository: str, region: str) -> list[Permission]:
    """Permissions for actions of ECR, named without "ecr:", on what each of them can be on.

    repository: the ARN of the one for those that are on a repository.
    """
    return [
        Permission(f"ecr:{name}", "*" if name in OF_THE_REGISTRY else repository, region)
        for name in actions
    ]


def _on(arn: str, actions: str, region: str) -> list[Permission]:
    return [Permission(f"iam:{name}", arn, region) for name in actions.split()]


def _tags(principal: Mapping[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in principal.get("Tags", ())}


def allowed(
    iam: Any, arn: str, permissions: Iterable[Permission], brings: Mapping[str, str]
) -> set[Permission]:
    """Those that the policies of a user or a role allow.

    arn: of the user or role; brings: condition keys with which each of its requests comes. One
    request decides all actions on all resources of one context.
    """
    actions: dict[tuple[str, Context, str], list[str]] = defaultdict(list)
    for one in dict.fromkeys(permissions):
        actions[one.region, one.context, one.resource].append(one.action)
    resources: dict[tuple[str, Context, tuple[str, ...], str], list[str]] = defaultdict(list)
    for (region, context, resource), names in actions.items():
        owner = resource.split(":", 5)[4] if resource.startswith("arn:") else ""
        resources[region, context, tuple(names), owner].append(resource)
    found = set()
    for (region, context, tried, owner), arns in resources.items():
        # a real request brings its region and more; a simulation has to be given them
        given = {**brings, "aws:RequestedRegion": region, **dict(context)}
        if owner:
            given["aws:ResourceAccount"] = owner
        pages = iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=arn,
            ActionNames=list(tried),
            ResourceArns=arns,
            ContextEntries=request_context.entries(given),
        )
        for result in pages.search("EvaluationResults[]"):
            for resource, decision in _decisions(result, arns):
                if decision == "allowed":
                    found.add(Permission(result["EvalActionName"], resource, region, context))
    return found


def _decisions(result: Mapping[str, Any], resources: list[str]) -> Iterator[tuple[str, str]]:
    """Each resource of a request with the decision on it."""
    specific = result.get("ResourceSpecificResults")
    if not specific:
        return iter([(resource, result["EvalDecision"]) for resource in resources])
    return ((one["EvalResourceName"], one["EvalResourceDecision"]) for one in specific)
