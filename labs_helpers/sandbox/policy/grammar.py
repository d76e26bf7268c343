"""The policy documents that IAM, ECR and STS accept, and AWS's errors for all others.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
Each check raises MalformedPolicy with AWS's message and the place in the document.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from labs_helpers.sandbox.policy import elements, shared_providers
from labs_helpers.sandbox.policy.elements import MalformedPolicy, legacy, syntax
from labs_helpers.sandbox.policy.principal_element import Exists, check_principal

_VERSIONS = ("2012-10-17", "2008-10-17")
_TOP = {"Version", "Id", "Statement"}
_STATEMENT = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
_PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))


Statements = list[tuple[str, dict[str, Any]]]
"""The (place, statement) of each statement."""


def check_identity_policy(text: str, managed: bool = False) -> None:
    """Check a policy for PutUserPolicy, PutGroupPolicy or PutRolePolicy.

    managed: for CreatePolicy or CreatePolicyVersion instead.
    """
    document = _object(text, "Syntax errors in policy.")
    statements = _statements(document)
    if managed and document.get("Version") != "2012-10-17":
        raise MalformedPolicy("Policy document must be version 2012-10-17 or greater.", "Version")
    for place, statement in statements:
        _check_form(place, statement)
        for name in ("Principal", "NotPrincipal"):
            if name in statement:
                raise MalformedPolicy(
                    "Policy document should not specify a principal.", f"{place}.{name}"
                )
    _check_sids(statements, "Statement IDs (SID) in a single policy must be unique.")
    _check_actions(statements)
    _check_resources(statements, required=True)


def check_session_policy(text: str) -> None:
    """Check a policy for AssumeRole, AssumeRoleWithWebIdentity or GetFederationToken."""
    check_identity_policy(text)


def check_trust_policy(text: str, exists: Exists = lambda arn: True) -> None:
    """Check a policy for CreateRole or UpdateAssumeRolePolicy. exists: whether a principal exists.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    document = _object(text, "This policy contains invalid Json")
    statements = _statements(document)
    for place, statement in statements:
        _check_trust_statement(place, statement, exists)
    _check_sids(statements, "The Statement Ids in the policy are not unique")


def _check_trust_statement(place: str, statement: dict[str, Any], exists: Exists) -> None:
    if "Effect" not in statement:
        raise MalformedPolicy("Missing required field Effect", place)
    _check_form(place, statement)
    if "NotPrincipal" in statement:
        raise MalformedPolicy(
            "AssumeRole policy must not contain NotPrincipal field.", f"{place}.NotPrincipal"
        )
    if "Principal" not in statement:
        raise MalformedPolicy("Missing required field Principal", place)
    check_principal(statement["Principal"], f"{place}.Principal", exists, bare_star=False)
    _check_trust_actions(place, statement)
    if "Resource" in statement:
        raise MalformedPolicy("Has prohibited field Resource", f"{place}.Resource")
    if "NotResource" in statement:
        raise MalformedPolicy(
            "AssumeRole policy must not contain resources.", f"{place}.NotResource"
        )
    shared_providers.check(place, statement)


def _check_trust_actions(place: str, statement: dict[str, Any]) -> None:
    actions = _entries(place, statement, "Action")
    if not actions:
        raise MalformedPolicy("Missing required field Action", place)
    for spot, action in actions:
        if not action.lower().startswith("sts:"):
            raise MalformedPolicy(
                "AssumeRole policy may only specify STS AssumeRole actions.", spot
            )


def check_resource_policy(
    text: str,
    service: str,
    resource: bool | None = None,
    actions: Collection[str] = (),
    unique_sids: bool = True,
) -> None:
    """Check the policy of a service's resource, such as an ECR repository or an S3 bucket.

    service: the prefix that every action must have, such as ``ecr``; resource: True when every
    statement needs a Resource, as for ECR's registry, False when none may have a Resource, as for
    its repositories; actions: the only actions that the policy may have, in lower case, or empty
    for all; unique_sids: whether no two statements may have one Sid.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html
    """
    statements = _statements(_object(text, "Syntax errors in policy."))
    for place, statement in statements:
        _check_form(place, statement)
        name = "NotPrincipal" if "NotPrincipal" in statement else "Principal"
        if name not in statement:
            raise MalformedPolicy("Missing required field Principal", place)
        check_principal(statement[name], f"{place}.{name}", lambda arn: True, bare_star=True)
    _check_sids(
        statements,
        "Statement IDs (SID) in a single policy must be unique." if unique_sids else None,
        alphanumeric=False,
    )
    _check_actions(statements)
    for place, statement in statements:
        _check_actions_of(service, actions, place, statement)
        for name in ("Resource", "NotResource"):
            if resource is False and name in statement:
                raise MalformedPolicy(f"Has prohibited field {name}", f"{place}.{name}")
    _check_resources(statements, required=bool(resource))


def principals_of(text: str) -> list[str]:
    """The users, roles, sessions and accounts that a checked policy names, as it spells them."""
    found = []
    for place, statement in _statements(json.loads(text)):
        for name in ("Principal", "NotPrincipal"):
            element = statement.get(name)
            if isinstance(element, dict):
                entries = elements.principal_entries(element, f"{place}.{name}")
                found += [value for _, kind, value in entries if kind == "AWS"]
    return found


def _check_actions_of(
    service: str, actions: Collection[str], place: str, statement: Mapping[str, Any]
) -> None:
    for spot, action in _entries(place, statement, "Action"):
        lower = action.lower()
        known = lower in actions if actions else lower == "*" or lower.startswith(f"{service}:")
        if not known:
            raise MalformedPolicy("Policy has invalid action", spot)


def _entries(place: str, statement: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    """The (place, text) of each entry of an element, such as Action or its negation NotAction."""
    name = f"Not{name}" if f"Not{name}" in statement else name
    return elements.texts(statement.get(name, []), f"{place}.{name}")


def _object(text: str, message: str) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates)
        # json reads some texts that it cannot write again: half characters, deep nesting
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        if isinstance(error, MalformedPolicy):
            raise
        raise MalformedPolicy(message) from error
    if not isinstance(document, dict):
        raise syntax()
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise syntax(name)
        members[name] = value
    return members


def _statements(document: Mapping[str, Any]) -> Statements:
    for name in document:
        if name not in _TOP:
            raise syntax(name)
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise syntax("Version")
    if not isinstance(document.get("Id", ""), str):
        raise syntax("Id")
    listed = document.get("Statement")
    if isinstance(listed, dict):
        return [("Statement", listed)]
    if not isinstance(listed, list) or not listed:
        raise syntax("Statement")
    placed = []
    for index, statement in enumerate(listed):
        if not isinstance(statement, dict):
            raise syntax(f"Statement[{index}]")
        placed.append((f"Statement[{index}]", statement))
    return placed


def _check_form(place: str, statement: dict[str, Any]) -> None:
    """Check the form common to all kinds of policies: names, Effect, lists and Condition."""
    for name in statement:
        if name not in _STATEMENT:
            raise syntax(f"{place}.{name}")
    for one, other in _PAIRS:
        if one in statement and other in statement:
            raise syntax(f"{place}.{other}")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        spelt = isinstance(effect, str) and effect.lower() in ("allow", "deny")
        raise legacy(f"{place}.Effect") if spelt else syntax(f"{place}.Effect")
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        if name in statement:
            elements.texts(statement[name], f"{place}.{name}")
    if "Condition" in statement:
        elements.check_condition(statement["Condition"], f"{place}.Condition")


def _check_sids(statements: Statements, message: str | None, alphanumeric: bool = True) -> None:
    """Check each Sid; message: the refusal of a Sid that is there twice, or None to allow that."""
    seen = set()
    for place, statement in statements:
        if "Sid" not in statement:
            continue
        sid = statement["Sid"]
        elements.check_sid(sid, f"{place}.Sid", alphanumeric)
        if message is not None and sid and sid in seen:
            raise MalformedPolicy(message, f"{place}.Sid")
        seen.add(sid)


def _check_actions(statements: Statements) -> None:
    for place, statement in statements:
        actions = _entries(place, statement, "Action")
        if not actions:
            raise MalformedPolicy("Policy statement must contain actions.", place)
        for spot, action in actions:
            elements.check_action(action, spot)


def _check_resources(statements: Statements, required: bool) -> None:
    for place, statement in statements:
        resources = _entries(place, statement, "Resource")
        present = "Resource" in statement or "NotResource" in statement
        if not resources and (required or present):
            raise MalformedPolicy("Policy statement must contain resources.", place)
        for spot, resource in resources:
            elements.check_resource(resource, spot)
