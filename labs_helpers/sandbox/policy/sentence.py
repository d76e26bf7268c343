"""AWS's message for a refusal.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from labs_helpers.sandbox.policy.model import Decision, Kind, Outcome
from labs_helpers.sandbox.policy.request import Request

_EXPLICIT = {
    Kind.IDENTITY: "an identity-based policy",
    Kind.RESOURCE: "a resource-based policy",
    Kind.BOUNDARY: "a permissions boundary",
    Kind.SESSION: "a session policy",
    Kind.SERVICE_CONTROL: "a service control policy",
    Kind.RESOURCE_CONTROL: "a resource control policy",
    Kind.TRUST: "the role trust policy",
}

#: Kinds of policies whose ARN AWS adds to the message
#: https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
_WITH_ARN = frozenset(Kind) - {Kind.RESOURCE, Kind.TRUST}


def sentence(request: Request, decision: Decision) -> str:
    """The message: who may not do what on which resource, because of which kind of policy."""
    caller = request.caller
    if caller.kind == "provider":
        # the caller is no principal of AWS, so STS says no more
        return f"Not authorized to perform {request.action}"
    user = "anonymous" if caller.kind == "anonymous" else caller.arn
    resource = f'"{request.resource}"' if _of_s3(request) else request.resource
    return (
        f"User: {user} is not authorized to perform: {request.action} "
        f"on resource: {resource}{_because(request, decision)}"
    )


def _of_s3(request: Request) -> bool:
    """Whether the action is S3's. S3 quotes the resource and has its own phrase for the ARN.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
    """
    return request.action.lower().startswith("s3:")


def _because(request: Request, decision: Decision) -> str:
    if decision.kind is None:
        return ""
    if decision.outcome is Outcome.EXPLICIT_DENY:
        return f" with an explicit deny in {_EXPLICIT[decision.kind]}{_arn(request, decision)}"
    return f" because no {decision.kind.value} allows the {request.action} action"


def _arn(request: Request, decision: Decision) -> str:
    """The ARN of the denying policy, if it has one and the request stays within the account."""
    if decision.kind not in _WITH_ARN or request.caller.account != request.resource_account:
        return ""
    arns = sorted(match.policy.arn for match in decision.matched if match.policy.arn)
    if not arns:
        return ""
    return f", with policy ARN: {arns[0]}" if _of_s3(request) else f": {arns[0]}"
