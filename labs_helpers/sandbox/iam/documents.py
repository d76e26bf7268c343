"""Policy documents on their way into IAM: what is no policy, or too long, is not stored.

Which operation takes which document:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.policy import grammar, quotas
from labs_helpers.sandbox.policy.elements import MalformedPolicy
from labs_helpers.sandbox.service.refusal import Refusal

_MANAGED = {"CreatePolicy", "CreatePolicyVersion"}
_INLINE = {"PutUserPolicy": "users", "PutGroupPolicy": "groups", "PutRolePolicy": "roles"}
_TRUST = {
    "CreateRole": "AssumeRolePolicyDocument",
    "UpdateAssumeRolePolicy": "PolicyDocument",
}


def check_documents(
    operation: str, backend: Any, given: Mapping[str, Any], directory: Directory
) -> None:
    """Raise MalformedPolicyDocument, naming the place, or LimitExceeded."""
    try:
        if operation in _MANAGED:
            grammar.check_identity_policy(given["PolicyDocument"], managed=True)
            quotas.check_managed(given["PolicyDocument"])
        elif operation in _INLINE:
            grammar.check_identity_policy(given["PolicyDocument"])
            _check_inline(operation, backend, given)
        elif operation in _TRUST:
            text = given[_TRUST[operation]]
            grammar.check_trust_policy(text, lambda arn: _exists(directory, arn))
            quotas.check_trust(text)
    except MalformedPolicy as error:
        status = 409 if error.code == "LimitExceeded" else 400
        raise Refusal(error.code, error.located, status) from error


def _check_inline(operation: str, backend: Any, given: Mapping[str, Any]) -> None:
    kind = operation.removeprefix("Put").removesuffix("Policy")
    name = given[f"{kind}Name"]
    entities = list(getattr(backend, _INLINE[operation]).values())
    entity = next(one for one in entities if one.name == name)
    texts = {**entity.policies, given["PolicyName"]: given["PolicyDocument"]}
    quotas.check_inline(kind.lower(), name, texts.values())


def _exists(directory: Directory, arn: str) -> bool:
    """Whether a principal that a trust policy names is there.

    Accounts are taken as they come: one may be made later. So are sessions and federated users.
    """
    pieces = arn.split(":", 5)
    if len(pieces) != 6 or pieces[2] != "iam":
        return True
    kind, _, name = pieces[5].partition("/")
    if kind not in ("user", "role"):
        return True
    return directory.entity_arn(pieces[4], kind, name.rpartition("/")[2]) == arn
