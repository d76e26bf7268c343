"""The users and roles that a stored policy names: saved by unique id, shown by ARN.

When a trust policy or a resource-based policy is saved, AWS replaces the ARN of a user or role in
Principal and NotPrincipal by the unique id (AIDA..., AROA...). When the policy is shown, AWS puts
the present ARN back; the id of a user or role that was deleted stays in sight. So a user or role
made again by the same name is not trusted:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
https://repost.aws/knowledge-center/iam-resource-policy-format
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Look = Callable[[str], str | None]
"""The unique id of an ARN, or the ARN of a unique id; None where there is no such user or role."""

_ID = re.compile(r"(?:AIDA|AROA)[A-Z0-9]{8,}")
_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:user|role)/.+")


def is_unique_id(text: str) -> bool:
    """Whether a text has the form of a user's or role's unique id."""
    return _ID.fullmatch(text) is not None


def saved(text: str, id_of: Look) -> str:
    """The text of a policy as it is stored: users and roles by their unique ids.

    A text that names no user or role that is there is returned as it is; any other is written
    anew, without white space.
    """
    if "arn:aws" not in text:
        return text
    return _with_names(text, lambda name: id_of(name) if _ARN.fullmatch(name) else None)


def shown(text: str, arn_of: Look) -> str:
    """A stored policy as it is read and evaluated: users and roles that are there by their ARNs."""
    if _ID.search(text) is None:
        return text
    return _with_names(text, lambda name: arn_of(name) if is_unique_id(name) else None)


def _with_names(text: str, other: Look) -> str:
    """The text with another name for each AWS principal that ``other`` knows another one for."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    statements = document.get("Statement") if isinstance(document, dict) else None
    changed = False
    for statement in statements if isinstance(statements, list) else [statements]:
        for element in ("Principal", "NotPrincipal"):
            principal = statement.get(element) if isinstance(statement, dict) else None
            if isinstance(principal, dict) and "AWS" in principal:
                before = principal["AWS"]
                principal["AWS"] = _renamed(before, other)
                changed = changed or principal["AWS"] != before
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False) if changed else text


def _renamed(names: Any, other: Look) -> Any:
    if isinstance(names, list):
        return [_renamed(name, other) for name in names]
    return (other(names) or names) if isinstance(names, str) else names
