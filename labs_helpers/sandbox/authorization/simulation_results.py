"""What the policy simulator says of an action: one result, with one for each resource in it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html

Where in a policy's text a statement stands is counted as the simulator counts: lines and columns
from 1. A statement in a list begins after what was read before it (the bracket, or the statement
before), a statement alone after its own brace; each ends after its last brace. Held to the examples
of https://docs.aws.amazon.com/cli/latest/reference/iam/simulate-custom-policy.html
and https://docs.aws.amazon.com/cli/latest/reference/iam/simulate-principal-policy.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from labs_helpers.sandbox.authorization.query import Entries
from labs_helpers.sandbox.authorization.tables import arn_formats
from labs_helpers.sandbox.policy import document
from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Decision, Kind, Match, Outcome, Policies, Policy
from labs_helpers.sandbox.policy.request import Request

_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()

Position = dict[str, int]


@lru_cache(maxsize=256)
def spans(text: str) -> tuple[tuple[int, int], ...]:
    """(start, end) of each statement of a policy, as offsets; () for a text that is none."""
    try:
        for name, at in _members(text, _after_space(text, 0)):
            if name == "Statement":
                return tuple(_statements(text, at))
    except (ValueError, IndexError):
        return ()
    return ()


def position(text: str, offset: int) -> Position:
    """The line and column of an offset."""
    line = text.count("\n", 0, offset) + 1
    return {"Line": line, "Column": offset - (text.rfind("\n", 0, offset) + 1) + 1}


def _members(text: str, at: int) -> list[tuple[str, int]]:
    """The members of the object at an offset: name and where the value begins."""
    if text[at] != "{":
        raise ValueError("not an object")
    found = []
    at = _after_space(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)
        found.append((name, at))
        _, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, at)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return found


def _statements(text: str, at: int) -> list[tuple[int, int]]:
    if text[at] == "{":
        return [(at + 1, _DECODER.raw_decode(text, at)[1])]
    found = []
    at += 1
    while text[_after_space(text, at)] != "]":
        begins = _after_space(text, at)
        if text[begins] == ",":
            begins = _after_space(text, begins + 1)
        _, ends = _DECODER.raw_decode(text, begins)
        found.append((at, ends))
        at = ends
    return found


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


_SEVERITY = [Outcome.ALLOWED, Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY]

_EVERYTHING = Policy(
    Kind.IDENTITY,
    "everything",
    document.parse(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    ),
)

_INLINE = re.compile(r"inline in (user|group|role) (.+)")


@dataclass(frozen=True)
class Trial:
    """One action on one resource, decided."""

    request: Request
    policies: Policies
    decision: Decision


def of_action(action: str, trials: Sequence[Trial]) -> dict[str, Any]:
    """EvaluationResult: the most restrictive decision over all resources, and each of them."""
    worst = max((trial.decision.outcome for trial in trials), key=_SEVERITY.index)
    deciding = [trial for trial in trials if trial.decision.outcome is worst]
    everything = all(trial.request.resource == "*" for trial in trials)
    cross = any(_across(trial) for trial in trials)
    matched = {_identity(match): match for trial in deciding for match in trial.decision.matched}
    missing = {key for trial in trials for key in trial.decision.missing_context}
    return {
        "EvalActionName": action,
        "EvalResourceName": "*" if everything else _format(trials[0].request.resource),
        "EvalDecision": worst.value,
        "MatchedStatements": [_statement(match) for match in matched.values()],
        "MissingContextValues": sorted(missing),
        "OrganizationsDecisionDetail": _organizations(trials),
        "PermissionsBoundaryDecisionDetail": _boundary(trials),
        "EvalDecisionDetails": None if everything and not cross else _details(trials),
        "ResourceSpecificResults": None if everything else [_of_resource(one) for one in trials],
    }


def _of_resource(trial: Trial) -> dict[str, Any]:
    return {
        "EvalResourceName": trial.request.resource,
        "EvalResourceDecision": trial.decision.outcome.value,
        "MatchedStatements": [_statement(match) for match in trial.decision.matched],
        "MissingContextValues": list(trial.decision.missing_context),
        "EvalDecisionDetails": _details([trial]) if _across(trial) else None,
        "PermissionsBoundaryDecisionDetail": _boundary([trial]),
    }


def _across(trial: Trial) -> bool:
    return trial.request.caller.account != trial.request.resource_account


def _details(trials: Sequence[Trial]) -> Entries:
    """Across accounts, what each kind of policy says by itself; nothing within one."""
    found: dict[str, Outcome] = {}
    for trial in trials:
        if not _across(trial):
            continue
        at_home = replace(trial.request, resource_account=trial.request.caller.account)
        parts = {
            "IAM Policy": evaluate(at_home, Policies(identity=trial.policies.identity)).outcome,
            "Resource Policy": evaluate(
                trial.request,
                Policies(identity=(_EVERYTHING,), resource=trial.policies.resource),
            ).outcome,
        }
        if trial.policies.boundary is not None:
            allowed = _allowed_by_boundary(trial)
            parts["Permissions Boundary Policy"] = (
                Outcome.ALLOWED if allowed else Outcome.IMPLICIT_DENY
            )
        for name, outcome in parts.items():
            found[name] = max(found.get(name, outcome), outcome, key=_SEVERITY.index)
    return Entries({name: outcome.value for name, outcome in found.items()})


def _boundary(trials: Sequence[Trial]) -> dict[str, bool] | None:
    if any(trial.policies.boundary is None for trial in trials):
        return None
    return {"AllowedByPermissionsBoundary": all(_allowed_by_boundary(one) for one in trials)}


def _allowed_by_boundary(trial: Trial) -> bool:
    boundary = trial.policies.boundary
    if boundary is None:
        return True
    alone = Policies(identity=(replace(boundary, kind=Kind.IDENTITY),))
    at_home = replace(trial.request, resource_account=trial.request.caller.account)
    return evaluate(at_home, alone).allowed


def _organizations(trials: Sequence[Trial]) -> dict[str, bool] | None:
    if not any(trial.policies.service_control for trial in trials):
        return None
    denied = any(trial.decision.kind is Kind.SERVICE_CONTROL for trial in trials)
    return {"AllowedByOrganizations": not denied}


def _statement(match: Match) -> dict[str, Any]:
    policy = match.policy
    text = policy.document.text
    found: dict[str, Any] = {
        "SourcePolicyId": _identifier(policy),
        "SourcePolicyType": "Resource Policy" if policy.kind is Kind.RESOURCE else "IAM Policy",
    }
    places = spans(text)
    if match.index < len(places):
        start, end = places[match.index]
        found["StartPosition"] = position(text, start)
        found["EndPosition"] = position(text, end)
    return found


def _identifier(policy: Policy) -> str:
    """A managed policy's name; of an inline one whose it is, too: `user_dev_reads`."""
    inline = _INLINE.fullmatch(policy.via)
    return f"{inline[1]}_{inline[2]}_{policy.name}" if inline else policy.name


def _identity(match: Match) -> tuple[str, int]:
    return _identifier(match.policy), match.index


def _format(arn: str) -> str:
    """The form of ARN that the resource has, as the reference writes it; `*` for none."""
    service = arn.split(":", 3)[2] if arn.count(":") >= 3 else ""
    for form, pattern in _patterns(service):
        if pattern.fullmatch(arn):
            return form
    return "*"


@cache
def _patterns(service: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Forms of a service's ARNs, those of most parts first."""
    forms = sorted(arn_formats().get(service, {}).values(), key=lambda form: -form.count("/"))
    return tuple(
        (form, re.compile(re.sub(r"\\\$\\\{\w+\\\}", "[^:]*?", re.escape(form)))) for form in forms
    )
