"""What a user or a role may do, by IAM's policy simulator, which decides and does nothing.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Context = tuple[tuple[str, str], ...]


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


def allow_statements(iam: Any, user: str) -> list[Mapping[str, Any]]:
    """The Allow statements of every policy of the user and of its groups."""
    documents = [*_documents(iam, "user", user)]
    for group in groups(iam, user):
        documents += _documents(iam, "group", group)
    statements = [one for document in documents for one in listed(document.get("Statement", []))]
    return [one for one in statements if one.get("Effect") == "Allow"]


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


def first_refused(iam: Any, user: str, wanted: Iterable[Permission]) -> Permission | None:
    """The first permission that the policies of the user and of its groups do not allow."""
    tried = list(wanted)
    found = allowed(iam, _arn(iam, user), tried)
    return next((one for one in tried if one not in found), None)


def first_allowed(iam: Any, user: str, unwanted: Iterable[Permission]) -> Permission | None:
    """The first permission that the policies of the user and of its groups allow."""
    tried = list(unwanted)
    found = allowed(iam, _arn(iam, user), tried)
    return next((one for one in tried if one in found), None)


def _arn(iam: Any, user: str) -> str:
    return str(iam.get_user(UserName=user)["User"]["Arn"])


def allowed_to_role(iam: Any, role: str, tried: Iterable[Permission]) -> list[Permission]:
    """Those that the policies of a role allow, in their order; none without the role."""
    wanted = list(tried)
    try:
        arn = str(iam.get_role(RoleName=role)["Role"]["Arn"])
    except iam.exceptions.NoSuchEntityException:
        return []
    found = allowed(iam, arn, wanted)
    return [one for one in wanted if one in found]


def allowed(iam: Any, arn: str, permissions: Iterable[Permission]) -> set[Permission]:
    """Those that the policies of a user or a role allow.

    arn: of the user or role. One request decides all actions on all resources of one context.
    """
    actions: dict[tuple[str, Context, str], list[str]] = defaultdict(list)
    for one in dict.fromkeys(permissions):
        actions[one.region, one.context, one.resource].append(one.action)
    resources: dict[tuple[str, Context, tuple[str, ...]], list[str]] = defaultdict(list)
    for (region, context, resource), names in actions.items():
        resources[region, context, tuple(names)].append(resource)
    found = set()
    for (region, context, tried), arns in resources.items():
        # a real request brings its region; a simulation has to be given the region
        entries = [("aws:RequestedRegion", region), *context]
        pages = iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=arn,
            ActionNames=list(tried),
            ResourceArns=arns,
            ContextEntries=[
                {"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": [value]}
                for key, value in entries
            ],
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
