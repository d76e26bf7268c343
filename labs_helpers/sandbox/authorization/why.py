"""The control API's room for reasons: why the last request was refused, or whether one would be.

GET  /_labs/why                        the last refusal; {"refusal": null} when there was none
GET  /_labs/why?account=N&principal=A  the last of an account, or of a principal by its ARN
POST /_labs/why  {"principal", "action", "resource"}, with "account" and "context" if you like:
                 what IAM would say now
Both answer {"refusal": ...} or {"verdict": ...}, as decisions.explained() has it.
"""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.authorization import context
from labs_helpers.sandbox.authorization.arns import account_of
from labs_helpers.sandbox.authorization.authorizer import Authorizer
from labs_helpers.sandbox.authorization.decisions import explained
from labs_helpers.sandbox.authorization.terms import Permission
from labs_helpers.sandbox.control_api import ControlRefused, Routes
from labs_helpers.sandbox.iam.rights import Rights

_BODY = (
    'send {"principal": "arn:aws:iam::123456789012:user/dev", "action": "ecr:PutImage", '
    '"resource": "arn:..."}, with "context" ({"aws:SourceIp": "10.0.0.1"}) if you like'
)


def routes(authorizer: Authorizer, region: str) -> Routes:
    """(method, path) -> what answers it."""

    def last(sent: dict[str, Any]) -> dict[str, Any]:
        account, principal = str(sent.get("account", "")), str(sent.get("principal", ""))
        found = authorizer.decisions.last(account, principal)
        return {"refusal": explained(found[1], found[0]) if found else None}

    def would(sent: dict[str, Any]) -> dict[str, Any]:
        principal, action, resource = (
            _text(sent, name) for name in ("principal", "action", "resource")
        )
        if action.count(":") != 1:
            raise ControlRefused(400, _BODY)
        rights = _rights(authorizer, principal)
        keys = {**context.of_request({}, _region(resource) or region), **_context(sent)}
        needed = Permission(action, resource, account_of(resource))
        return {"verdict": explained(authorizer.decide(rights, needed, keys))}

    return {("GET", "/_labs/why"): last, ("POST", "/_labs/why"): would}


def _rights(authorizer: Authorizer, principal: str) -> Rights:
    """What a user, group or role has; of a session of a role what the role has."""
    parts = principal.split(":", 5)
    arn: str | None = principal
    if len(parts) == 6 and parts[2] == "sts" and parts[5].startswith("assumed-role/"):
        arn = authorizer.directory.entity_arn(parts[4], "role", parts[5].split("/")[1])
    rights = authorizer.directory.of_arn(arn) if arn else None
    if rights is None:
        raise ControlRefused(404, f"there is no user, group or role {principal[:200]} here")
    return rights


def _context(sent: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    given = sent.get("context", {})
    if not isinstance(given, dict):
        raise ControlRefused(400, _BODY)
    return {
        str(key).lower(): tuple(map(str, value)) if isinstance(value, list) else (str(value),)
        for key, value in given.items()
    }


def _region(resource: str) -> str:
    parts = resource.split(":", 5)
    return parts[3] if len(parts) == 6 else ""


def _text(sent: dict[str, Any], name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not value:
        raise ControlRefused(400, _BODY)
    return value
