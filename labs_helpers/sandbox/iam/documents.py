"""Checks of the policy documents that a request stores in IAM: their grammar and their size.

Which operation takes which document:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.policy import grammar, quotas
from labs_helpers.sandbox.policy.elements import MalformedPolicy
from labs_helpers.sandbox.policy.unique_ids import is_unique_id
from labs_helpers.sandbox.service.refusal import Refusal

_MANAGED = {"CreatePolicy", "CreatePolicyVersion"}
_INLINE = {"PutUserPolicy", "PutGroupPolicy", "PutRolePolicy"}
_TRUST = {
    "CreateRole": "AssumeRolePolicyDocument",
    "UpdateAssumeRolePolicy": "PolicyDocument",
}


def check_documents(
    operation: str, given: Mapping[str, Any], inline: Mapping[str, str], directory: Directory
) -> None:
    """Raise MalformedPolicyDocument, naming the place, or LimitExceeded.

    inline: the inline policies that the user, group or role has now.
    """
    try:
        if operation in _MANAGED:
            grammar.check_identity_policy(given["PolicyDocument"], managed=True)
            quotas.check_managed(given["PolicyDocument"])
        elif operation in _INLINE:
            grammar.check_identity_policy(given["PolicyDocument"])
            _check_inline(operation, given, inline)
        elif operation in _TRUST:
            text = given[_TRUST[operation]]
            grammar.check_trust_policy(text, lambda arn: exists(directory, arn))
            quotas.check_trust(text)
    except MalformedPolicy as error:
        status = 409 if error.code == "LimitExceeded" else 400
        raise Refusal(error.code, error.located, status) from error


def _check_inline(operation: str, given: Mapping[str, Any], inline: Mapping[str, str]) -> None:
    kind = operation.removeprefix("Put").removesuffix("Policy")
    texts = {**inline, given["PolicyName"]: given["PolicyDocument"]}
    quotas.check_inline(kind.lower(), given[f"{kind}Name"], texts.values())


def exists(directory: Directory, arn: str) -> bool:
    """Whether a principal that a policy names exists.

    Accounts are taken as they come: one may be made later. So are sessions and federated users.
    """
    if is_unique_id(arn):
        return directory.arn_of(arn) is not None
    pieces = arn.split(":", 5)
    if len(pieces) != 6 or pieces[2] != "iam":
        return True
    kind, _, name = pieces[5].partition("/")
    if kind not in ("user", "role"):
        return True
    return directory.entity_arn(pieces[4], kind, name.rpartition("/")[2]) == arn
