"""Identity providers that many organisations share: a trust policy must look at whose token it is.

IAM refuses to make or to change a role whose trust policy lets such a provider in and has no
condition on the claim that names the organisation. Which condition, and which values, is not looked
at. Roles that are there stay.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
(read 2026-11-29)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.policy.elements import MalformedPolicy

_SUB = (
    "agent.buildkite.com",
    "oidc.codefresh.io",
    "studio.datachain.ai/api",
    "token.actions.githubusercontent.com",
    "oidc-configuration.audit-log.githubusercontent.com",
    "vstoken.actions.githubusercontent.com",
    "gitlab.com",
    "scalr.io",
    "tokens.cloud.shisho.dev",
    "app.terraform.io",
    "proidc.upbound.io",
)
_AUD = (
    "cognito-identity.amazonaws.com",
    "api.pulumi.com/oidc",
    "sandboxes.cloud",
    "oidc.vercel.com",
)
KEYS = {**{one: f"{one}:sub" for one in _SUB}, **{one: f"{one}:aud" for one in _AUD}}
"""Issuer without its scheme -> the condition key that a trust policy must have."""


def check(place: str, statement: Mapping[str, Any]) -> None:
    """Raise MalformedPolicy for a statement that lets a shared provider in whoever asks.

    The sentence is ours: AWS's page does not say in which words IAM refuses.
    """
    principal = statement.get("Principal")
    if statement.get("Effect") != "Allow" or not isinstance(principal, Mapping):
        return
    named = principal.get("Federated", [])
    for one in [named] if isinstance(named, str) else named:
        key = KEYS.get(str(one).partition(":oidc-provider/")[2] or str(one))
        if key and key.lower() not in _evaluated(statement.get("Condition")):
            raise MalformedPolicy(
                f"The trust policy must evaluate {key}: many organizations share this identity "
                "provider.",
                f"{place}.Condition",
            )


def _evaluated(condition: Any) -> set[str]:
    """The keys of all conditions, in small letters."""
    blocks = condition.values() if isinstance(condition, Mapping) else ()
    return {str(key).lower() for block in blocks if isinstance(block, Mapping) for key in block}
