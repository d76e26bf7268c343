"""What the policies of a user allow, read from the documents themselves.

Enough of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
for the exercises: identity policies, wildcards, NotAction and NotResource. A condition is not
looked at: an Allow with one counts as an allow, a Deny with one does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Document = dict[str, Any]


def direct(iam: Any, user: str) -> list[Document]:
    """The policies on the user itself, inline and attached."""
    inline = [
        iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"]
        for name in iam.list_user_policies(UserName=user)["PolicyNames"]
    ]
    attached = iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
    return inline + [_document(iam, one["PolicyArn"]) for one in attached]


def by_group(iam: Any, group: str) -> list[Document]:
    """The policies on a group, inline and attached."""
    inline = [
        iam.get_group_policy(GroupName=group, PolicyName=name)["PolicyDocument"]
        for name in iam.list_group_policies(GroupName=group)["PolicyNames"]
    ]
    attached = iam.list_attached_group_policies(GroupName=group)["AttachedPolicies"]
    return inline + [_document(iam, one["PolicyArn"]) for one in attached]


def groups(iam: Any, user: str) -> list[str]:
    """The names of the groups that a user is in, sorted."""
    return sorted(one["GroupName"] for one in iam.list_groups_for_user(UserName=user)["Groups"])


def of_user(iam: Any, user: str) -> list[Document]:
    """Every policy that speaks for the user: its own and those of its groups."""
    found = direct(iam, user)
    for group in groups(iam, user):
        found += by_group(iam, group)
    return found


def allows(documents: Iterable[Document], action: str, resource: str) -> bool:
    """Whether the documents together allow ``action`` ("ecr:PutImage") on ``resource`` (an ARN)."""
    fitting = [
        statement
        for document in documents
        for statement in _many(document.get("Statement", []))
        if _fits(statement, "Action", action.lower(), fold=True)
        and _fits(statement, "Resource", resource, fold=False)
    ]
    if any(one.get("Effect") == "Deny" and not one.get("Condition") for one in fitting):
        return False
    return any(one.get("Effect") == "Allow" for one in fitting)


def _document(iam: Any, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return dict(found)


def _fits(statement: dict[str, Any], part: str, asked: str, fold: bool) -> bool:
    """Actions are compared without regard to case (``fold``), resources with it."""
    negated = f"Not{part}" in statement
    patterns = _many(statement.get(f"Not{part}" if negated else part, []))
    if fold:
        patterns = [pattern.lower() for pattern in patterns]
    return any(_wild(pattern).fullmatch(asked) for pattern in patterns) != negated


def _wild(pattern: str) -> re.Pattern[str]:
    """``*`` is any run of characters, ``?`` any one; brackets mean themselves."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(one, re.escape(one)) for one in pattern), re.DOTALL)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
