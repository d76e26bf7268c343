"""What a session may not call, whatever its policies say.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
"""

from __future__ import annotations

from labs_helpers.sandbox.iam.sessions import Origin, Session
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.refusal import Refusal

_LONG_LIVED_ONLY = ("GetSessionToken", "GetFederationToken")

_STS_ALLOWED = {
    Origin.USER: {"assumerole", "getcalleridentity"},
    Origin.FEDERATION: {"getcalleridentity"},
}


def refusal(session: Session | None, action: str) -> Refusal | None:
    """Why a session may not call `action` ("iam:ListUsers"); None where policies decide.

    A session of GetSessionToken calls IAM only with MFA, and of STS only AssumeRole and
    GetCallerIdentity; a federated user calls neither, but for GetCallerIdentity.
    """
    if session is None:
        return None
    service, _, operation = action.lower().partition(":")
    for name in _LONG_LIVED_ONLY:
        if (service, operation) == ("sts", name.lower()):
            return Refusal("AccessDenied", f"Cannot call {name} with session credentials", 403)
    allowed = _STS_ALLOWED.get(session.facts.origin)
    if allowed is None:
        return None
    if service == "sts" and operation not in allowed:
        return Refusal("AccessDenied", "Access denied", 403)
    if service == "iam" and not (session.facts.origin is Origin.USER and session.facts.mfa):
        return aws_errors.unknown_key()
    return None
