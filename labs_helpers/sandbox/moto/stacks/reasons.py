"""Why a resource failed, as an event of a stack says, and the names that a stack gives.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
"""

from __future__ import annotations

import logging
import uuid

from labs_helpers.sandbox.moto.stacks.calls import CallFailed
from labs_helpers.sandbox.service.refusal import Refusal

log = logging.getLogger(__name__)

_CODES = (
    ("Exist", "AlreadyExists"),
    ("NotFound", "NotFound"),
    ("NoSuch", "NotFound"),
    ("AccessDenied", "AccessDenied"),
    ("Unauthorized", "AccessDenied"),
    ("Validation", "InvalidRequest"),
    ("Invalid", "InvalidRequest"),
    ("Malformed", "InvalidRequest"),
)
"""A word of a service's code -> the code of CloudFormation's handlers, the first that fits.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
"""


def reason_of(error: Exception) -> str:
    """Why a resource failed, as an event says."""
    if isinstance(error, CallFailed):
        if error.code == "NotInSandbox":
            return str(error)
        handled = next((to for word, to in _CODES if word in error.code), "GeneralServiceException")
        service = error.service[:1].upper() + error.service[1:]
        return (
            f'Resource handler returned message: "{error} (Service: {service}, Status Code: '
            f'{error.status}, Request ID: {uuid.uuid4()})" (RequestToken: {uuid.uuid4()}, '
            f"HandlerErrorCode: {handled})"
        )
    if isinstance(error, Refusal):
        return error.message
    log.exception("a resource of a stack cannot be made", exc_info=error)
    return "Properties validation failed: a property has a value of another type than its own."


def name_of(kind: str, stack: str, logical_id: str) -> str:
    """The name that CloudFormation gives to a resource without one.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-physical-names.html
    """
    longest = {"AWS::S3::Bucket": 63, "AWS::IAM::Role": 64, "AWS::IAM::User": 64}.get(kind, 80)
    tail = f"-{logical_id}-{uuid.uuid4().hex[:12].upper()}"
    name = stack[: max(longest - len(tail), 1)] + tail
    return name[-longest:].lower() if kind == "AWS::S3::Bucket" else name[-longest:]
