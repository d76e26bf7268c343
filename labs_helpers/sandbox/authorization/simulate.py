"""IAM's policy simulator, answered by the evaluator that decides here.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html,
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html,
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetContextKeysForPrincipalPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.authorization import simulation_results as results
from labs_helpers.sandbox.authorization.arns import account_of, values
from labs_helpers.sandbox.authorization.query import Operation
from labs_helpers.sandbox.authorization.simulation_results import Trial
from labs_helpers.sandbox.iam import errors as iam_errors
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.rights import Rights
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.policy import document
from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Kind, Policies, Policy
from labs_helpers.sandbox.policy.request import Caller, Request
from labs_helpers.sandbox.service.refusal import Refusal

Params = Mapping[str, Any]

PAGE = 100
"""Results in an answer when MaxItems is not said."""

_KINDS = ("user", "group", "role")


@dataclass(frozen=True)
class _Simulation:
    """The policies of a simulation, and as whom it is made."""

    caller: Caller
    policies: Policies


class Simulator:
    """Reads the directory, changes nothing."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def principal(self, caller: Principal, params: Params, source_ip: str) -> dict[str, Any]:
        """SimulatePrincipalPolicy: the policies of a user, group or role, and further ones."""
        rights = self._rights(params["PolicySourceArn"])
        boundaries = _given(params, "PermissionsBoundaryPolicyInputList", Kind.BOUNDARY)
        identity = tuple(
            policy
            for policy in rights.identity
            if not _excluded(policy, params, rights.caller.account)
        )
        boundary = boundaries[0] if boundaries else rights.boundary
        if boundary and not boundaries and _excluded(boundary, params, rights.caller.account):
            boundary = None
        policies = Policies(
            identity=(*identity, *_given(params, "PolicyInputList", Kind.IDENTITY)),
            resource=_resource_policy(params),
            boundary=boundary,
        )
        return _simulated(_Simulation(_caller(params, rights.caller), policies), params)

    def custom(self, caller: Principal, params: Params, source_ip: str) -> dict[str, Any]:
        """SimulateCustomPolicy: the policies that the request brings, and no others."""
        if params.get("ResourcePolicy") and not params.get("CallerArn"):
            raise _invalid("Must specify the caller ARN when a resource policy is present.")
        boundaries = _given(params, "PermissionsBoundaryPolicyInputList", Kind.BOUNDARY)
        nobody = f"arn:aws:iam::{caller.account}:user/simulated"
        policies = Policies(
            identity=_given(params, "PolicyInputList", Kind.IDENTITY),
            resource=_resource_policy(params),
            boundary=boundaries[0] if boundaries else None,
            service_control=tuple(
                _given(level, "ServiceControlPolicyInputList", Kind.SERVICE_CONTROL)
                for level in _entries(params, "OrderedOrganizationPolicyInputList")
            ),
        )
        someone = _caller(params, Caller(caller.account, nobody, nobody))
        return _simulated(_Simulation(someone, policies), params)

    def keys_of_custom(self, caller: Principal, params: Params, source_ip: str) -> dict[str, Any]:
        """GetContextKeysForCustomPolicy: every condition key that the policies ask for."""
        return {"ContextKeyNames": _keys(_given(params, "PolicyInputList", Kind.IDENTITY))}

    def keys_of_principal(
        self, caller: Principal, params: Params, source_ip: str
    ) -> dict[str, Any]:
        """GetContextKeysForPrincipalPolicy: of what a user, group or role has, and further ones."""
        rights = self._rights(params["PolicySourceArn"])
        further = _given(params, "PolicyInputList", Kind.IDENTITY)
        return {"ContextKeyNames": _keys([*rights.identity, *further])}

    def _rights(self, arn: str) -> Rights:
        kind, _, name = arn.split(":", 5)[-1].partition("/")
        if not arn.startswith("arn:aws:iam::") or kind not in _KINDS or not name:
            raise _invalid(
                f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
            )
        rights = self._directory.of_arn(arn)
        if rights is None:
            raise iam_errors.no_such(kind, name.rpartition("/")[2])
        return rights


def operations(directory: Directory) -> dict[str, Operation]:
    """The operations of IAM that the simulator answers, by name."""
    simulator = Simulator(directory)
    return {
        "GetContextKeysForCustomPolicy": simulator.keys_of_custom,
        "GetContextKeysForPrincipalPolicy": simulator.keys_of_principal,
        "SimulateCustomPolicy": simulator.custom,
        "SimulatePrincipalPolicy": simulator.principal,
    }


def _simulated(simulation: _Simulation, params: Params) -> dict[str, Any]:
    """A page of results, one for each action."""
    resources = values(params, "ResourceArns") or ["*"]
    context = _context(params)
    found = []
    for action in values(params, "ActionNames"):
        if action.count(":") != 1 or "*" in action:
            raise _invalid(f"Invalid Action: {action}")
        trials = [_trial(simulation, action, arn, context, params) for arn in resources]
        found.append(results.of_action(action, trials))
    return _page(found, params)


def _trial(
    simulation: _Simulation,
    action: str,
    resource: str,
    context: Mapping[str, tuple[str, ...]],
    params: Params,
) -> Trial:
    named = str(params.get("ResourceOwner") or "")
    owner = account_of(resource) or account_of(named) or named or simulation.caller.account
    request = Request(simulation.caller, action, resource, owner, context)
    return Trial(request, simulation.policies, evaluate(request, simulation.policies))


def _page(found: Sequence[dict[str, Any]], params: Params) -> dict[str, Any]:
    marker = str(params.get("Marker") or "0")
    start = int(marker) if marker.isascii() and marker.isdigit() else -1
    if not 0 <= start <= len(found):
        raise _invalid(f"Invalid Marker: {marker}")
    end = start + int(params.get("MaxItems") or PAGE)
    more = end < len(found)
    return {
        "EvaluationResults": list(found[start:end]),
        "IsTruncated": more,
        "Marker": str(end) if more else None,
    }


def _given(params: Params, name: str, kind: Kind) -> tuple[Policy, ...]:
    """The policies of a list of the request, named as the simulator names them."""
    return tuple(
        Policy(kind, f"{name}.{number}", _parsed(text), "given to the simulator")
        for number, text in enumerate(values(params, name), 1)
    )


def _resource_policy(params: Params) -> tuple[Policy, ...]:
    text = params.get("ResourcePolicy")
    if not text:
        return ()
    return (Policy(Kind.RESOURCE, "ResourcePolicy", _parsed(str(text)), "given"),)


def _parsed(text: str) -> document.Document:
    try:
        return document.parse(text)
    except document.NotAPolicy as error:
        raise _invalid(f"Could not parse policy: {error}") from error


def _caller(params: Params, otherwise: Caller) -> Caller:
    arn = params.get("CallerArn")
    if not arn:
        return otherwise
    kind = str(arn).split(":", 5)[-1].partition("/")[0]
    if not str(arn).startswith("arn:aws:iam::") or kind not in _KINDS:
        raise _invalid(f"Invalid Caller Arn: {arn}")
    return Caller(account_of(str(arn)), str(arn), str(arn))


def _context(params: Params) -> dict[str, tuple[str, ...]]:
    return {
        str(entry.get("ContextKeyName", "")).lower(): tuple(values(entry, "ContextKeyValues"))
        for entry in _entries(params, "ContextEntries")
    }


def _entries(params: Params, name: str) -> list[Params]:
    """The structures of a list of the request."""
    listed = params.get(name)
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _excluded(policy: Policy, params: Params, account: str) -> bool:
    """Whether PolicyExclusionList leaves a policy out: by type, by ARN or by its inline name."""
    if policy.kind is Kind.BOUNDARY:
        kind = "permission-boundary"
    elif not policy.arn:
        kind = "inline"
    else:
        kind = "user-managed" if account_of(policy.arn) == account else "aws-managed"
    for entry in _entries(params, "PolicyExclusionList"):
        inline = entry.get("InlinePolicyIdentifier")
        inline = inline if isinstance(inline, Mapping) else {}
        where = f"inline in {inline.get('AttachmentType')} {inline.get('AttachmentName')}"
        if entry.get("PolicyType") == kind or (policy.arn and entry.get("PolicyArn") == policy.arn):
            return True
        if inline.get("PolicyName") == policy.name and policy.via == where:
            return True
    return False


def _keys(policies: Iterable[Policy]) -> list[str]:
    """Condition keys in the order of the documents, each once, as they are written there."""
    found: dict[str, str] = {}
    for policy in policies:
        for statement in policy.document.statements:
            written = {key.lower(): key for key in _written(statement.source.get("Condition"))}
            for key in sorted(statement.keys):
                found.setdefault(key, written.get(key, key))
    return list(found.values())


def _written(condition: Any) -> Iterable[str]:
    for tests in condition.values() if isinstance(condition, Mapping) else ():
        if isinstance(tests, Mapping):
            yield from tests


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidInput", f"Invalid Input {message}", 400)
