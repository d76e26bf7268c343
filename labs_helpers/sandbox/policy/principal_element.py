"""The element Principal of a policy: the form that IAM, ECR and STS accept, and AWS's errors.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labs_helpers.sandbox.policy import elements
from labs_helpers.sandbox.policy.elements import MalformedPolicy, syntax

_ACCOUNT = re.compile(r"\d{12}")
_PRINCIPAL_ARN = re.compile(
    r"arn:aws[a-z-]*:(iam::\d{12}:(root|user/[^*?]+|role/[^*?]+)"
    r"|sts::\d{12}:(assumed-role/[^*?/]+/[^*?]+|federated-user/[^*?]+))"
)
_UNIQUE_ID = re.compile(r"A(IDA|ROA)[A-Z0-9]{12,}")
Exists = Callable[[str], bool]
"""Whether the user, role or account with this ARN exists."""


def check_principal(element: Any, place: str, exists: Exists, bare_star: bool) -> None:
    """Raise MalformedPolicy unless `element`, at `place` of its document, is valid.

    exists: whether a principal exists; bare_star: whether ``"Principal": "*"`` is valid; a trust
    policy needs ``{"AWS": "*"}``.
    """
    if element == "*" and bare_star:
        return
    if isinstance(element, str):
        raise _invalid_principal("STAR", element, place)
    if not isinstance(element, dict):
        raise syntax(place)
    if not element:
        raise MalformedPolicy("Missing required field Principal cannot be empty!", place)
    for spot, kind, value in elements.principal_entries(element, place):
        if kind not in ("AWS", "Service", "Federated", "CanonicalUser"):
            raise _invalid_principal(kind, value, spot)
        if kind == "AWS" and not (_is_aws_principal(value) and exists(value)):
            raise _invalid_principal("AWS", value, spot)
        if kind == "Service" and not value.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            raise _invalid_principal("SERVICE", value, spot)


def _is_aws_principal(value: str) -> bool:
    """Whether the value is ``*``, an account, an ARN without wildcards or a unique id."""
    return value == "*" or any(
        form.fullmatch(value) for form in (_ACCOUNT, _PRINCIPAL_ARN, _UNIQUE_ID)
    )


def _invalid_principal(kind: str, value: str, place: str) -> MalformedPolicy:
    return MalformedPolicy(f'Invalid principal in policy: "{kind}":"{value}"', place)
