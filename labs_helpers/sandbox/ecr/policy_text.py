"""Whether a text is a resource policy that ECR accepts for a repository or for the registry.

The form only: JSON, statements, effect, principal and actions of ECR. What a policy permits is
decided elsewhere. Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html
"""

import json
from typing import Any

from labs_helpers.sandbox.ecr.validation import invalid

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
#: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html
_REGISTRY_ACTIONS = {
    "ecr:*",
    "ecr:replicateimage",
    "ecr:createrepository",
    "ecr:batchimportupstreamimage",
    "ecr:batchgetimage",
    "ecr:getdownloadurlforlayer",
}


def check_repository_policy(text: str) -> None:
    """InvalidParameter in ECR's words unless the text is a policy for a repository.

    A repository's policy speaks of its own repository, so a statement needs no Resource.
    """
    statements = _statements(text)
    if statements is None or not all(_is_statement(item) for item in statements):
        raise invalid("PolicyText", "Invalid repository policy provided")


def check_registry_policy(text: str) -> None:
    """InvalidParameter in ECR's words unless the text is a policy for the registry."""
    statements = _statements(text)
    good = statements is not None and all(
        _is_statement(item)
        and bool({"Resource", "NotResource"} & set(item))
        and all(action.lower() in _REGISTRY_ACTIONS for action in _texts(item.get("Action", [])))
        for item in statements
    )
    if not good:
        raise invalid("PolicyText", "Invalid registry policy provided")


def shown(text: str) -> str:
    """A policy that was accepted, laid out as ECR hands it back.

    Two spaces a level, a space on each side of a colon, lists on the line of their name:
    https://docs.aws.amazon.com/cli/latest/reference/ecr/set-repository-policy.html
    """
    return _laid_out(json.loads(text), "")


def _laid_out(value: Any, margin: str) -> str:
    if isinstance(value, dict) and value:
        inner = margin + "  "
        members = [
            f"{inner}{json.dumps(name, ensure_ascii=False)} : {_laid_out(item, inner)}"
            for name, item in value.items()
        ]
        return "{\n" + ",\n".join(members) + f"\n{margin}}}"
    if isinstance(value, list) and value:
        return f"[ {', '.join(_laid_out(item, margin) for item in value)} ]"
    return {"{}": "{ }", "[]": "[ ]"}.get(text := json.dumps(value, ensure_ascii=False), text)


def _statements(text: str) -> list[Any] | None:
    try:
        document = json.loads(text)
        # not every text that json reads can be written again: half characters, deep nesting
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not set(document) <= _TOP:
        return None
    if document.get("Version", "2008-10-17") not in _VERSIONS:
        return None
    statements = document.get("Statement")
    if isinstance(statements, dict):
        return [statements]
    return statements if isinstance(statements, list) and statements else None


def _is_statement(statement: Any) -> bool:
    if not isinstance(statement, dict) or not set(statement) <= _STATEMENT:
        return False
    return (
        statement.get("Effect") in ("Allow", "Deny")
        and _is_principal(statement)
        and _is_action(statement)
        and isinstance(statement.get("Sid", ""), str)
        and _is_condition(statement.get("Condition", {}))
        and _is_resource(statement)
    )


def _is_principal(statement: dict[str, Any]) -> bool:
    if ("Principal" in statement) == ("NotPrincipal" in statement):
        return False
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if isinstance(principal, dict):
        kinds = {"AWS", "Service", "Federated", "CanonicalUser"}
        return set(principal) <= kinds and all(_texts(value) for value in principal.values())
    return principal == "*"


def _is_action(statement: dict[str, Any]) -> bool:
    if ("Action" in statement) == ("NotAction" in statement):
        return False
    actions = _texts(statement.get("Action", statement.get("NotAction")))
    return bool(actions) and all(
        action == "*" or action.lower().startswith("ecr:") for action in actions
    )


def _is_resource(statement: dict[str, Any]) -> bool:
    if "Resource" in statement and "NotResource" in statement:
        return False
    resource = statement.get("Resource", statement.get("NotResource", "*"))
    return bool(_texts(resource))


def _is_condition(condition: Any) -> bool:
    """``{operator: {key: value or values}}``, a value being a string, a number or a boolean."""
    return isinstance(condition, dict) and all(
        isinstance(tests, dict)
        and all(
            isinstance(value, str | int | float)
            for values in tests.values()
            for value in (values if isinstance(values, list) else [values])
        )
        for tests in condition.values()
    )


def _texts(value: Any) -> list[str]:
    """The strings of a policy's string-or-list; empty when it is neither."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return []
