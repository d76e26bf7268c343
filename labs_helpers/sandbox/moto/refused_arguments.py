"""Parameters for which the sandbox refuses an operation that is open.

moto ignores such a parameter, and answers as if its effect were there, or does what a request here
must not do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.moto.arguments import IGNORED, Argument
from labs_helpers.sandbox.moto.refusals import NO_ACLS, NO_LOCK
from labs_helpers.sandbox.service.aws_errors import not_implemented

_TO_QUEUES_ONLY = (
    "The sandbox connects to no other machine and sends no mail and no text messages. A topic "
    "delivers to SQS queues."
)

_ONE_REGION = "What the sandbox keeps is in one Region."
_EXPRESSIONS = "AWS keeps this parameter for old programs. Write an expression instead."
_WITHOUT = "Nothing would come of it here."

_ROLLS_BACK = "A stack that fails is rolled back here."


def _arguments(reason: str, names: str) -> tuple[Argument, ...]:
    """Parameters that are refused with any value, for one reason."""
    return tuple(Argument(name, reason) for name in names.split())


_ACL = (
    Argument(
        "x-amz-acl",
        NO_ACLS,
        frozenset({"authenticated-read", "public-read", "public-read-write"}),
    ),
    *_arguments(
        NO_ACLS,
        "x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp x-amz-grant-write "
        "x-amz-grant-write-acp",
    ),
)
"""Headers that write an access control list which lets others in."""

REFUSED_ARGUMENTS: Mapping[tuple[str, str], tuple[Argument, ...]] = {
    **IGNORED,
    # sends each message to the URL (moto/sns/models.py)
    ("sns", "Subscribe"): (
        Argument(
            "Protocol",
            _TO_QUEUES_ONLY,
            frozenset(
                {
                    "http",
                    "https",
                    "email",
                    "email-json",
                    "sms",
                    "application",
                    "lambda",
                    "firehose",
                }
            ),
        ),
    ),
    # moto keeps a text message, and answers as if the message had been sent
    ("sns", "Publish"): (Argument("PhoneNumber", _TO_QUEUES_ONLY),),
    ("sns", "SetSubscriptionAttributes"): (
        Argument(
            "AttributeName",
            _WITHOUT,
            frozenset({"deliverypolicy", "redrivepolicy", "subscriptionrolearn"}),
        ),
    ),
    # moto would make the secret in the other Region, or replace another, without a decision
    ("secretsmanager", "CreateSecret"): (Argument("AddReplicaRegions", _ONE_REGION),),
    ("secretsmanager", "PutResourcePolicy"): (
        Argument("BlockPublicPolicy", "No policy is analysed here.", frozenset({"true"})),
    ),
    # moto ignores these: the item would be changed whatever the condition says
    ("dynamodb", "DeleteItem"): _arguments(_EXPRESSIONS, "ConditionalOperator Expected"),
    ("dynamodb", "GetItem"): _arguments(_EXPRESSIONS, "AttributesToGet"),
    ("dynamodb", "PutItem"): _arguments(_EXPRESSIONS, "ConditionalOperator"),
    ("dynamodb", "Query"): _arguments(
        _EXPRESSIONS, "AttributesToGet ConditionalOperator QueryFilter"
    ),
    ("dynamodb", "Scan"): _arguments(_EXPRESSIONS, "AttributesToGet ConditionalOperator"),
    ("dynamodb", "UpdateItem"): _arguments(_EXPRESSIONS, "ConditionalOperator"),
    ("dynamodb", "CreateTable"): (
        Argument("ResourcePolicy", "Put the policy with PutResourcePolicy."),
        *_arguments(_WITHOUT, "OnDemandThroughput StreamSpecification TableClass"),
    ),
    ("dynamodb", "UpdateTable"): (
        Argument("ReplicaUpdates", _ONE_REGION),
        *_arguments(_WITHOUT, "OnDemandThroughput SSESpecification StreamSpecification TableClass"),
    ),
    ("tagging", "GetResources"): (
        Argument("IncludeComplianceDetails", "There is no tag policy here.", frozenset({"true"})),
    ),
    # moto forgets the key, and lets a reader in who does not have the key
    **{
        ("s3", operation): (
            *_arguments(_WITHOUT, "x-amz-server-side-encryption-customer-algorithm"),
            *_ACL,
        )
        for operation in ("CopyObject", "CreateMultipartUpload", "PutObject")
    },
    ("s3", "CreateBucket"): (
        Argument("x-amz-bucket-object-lock-enabled", NO_LOCK, frozenset({"true"})),
        *_ACL,
    ),
    # moto would read an object of a bucket that the caller may not read
    ("cloudformation", "SetStackPolicy"): (
        Argument("StackPolicyURL", "The sandbox takes a policy in StackPolicyBody."),
    ),
    # whichever secrets the filters find, each of them would have to be decided on
    ("secretsmanager", "BatchGetSecretValue"): (
        Argument("Filters", "Name the secrets in SecretIdList."),
    ),
    # moto keeps these of a stack, and does nothing with them
    **{
        ("cloudformation", operation): (
            Argument("RoleARN", "A stack here acts with your own permissions."),
            Argument("NotificationARNs", "Its events are in `describe-stack-events`."),
            Argument("DisableRollback", _ROLLS_BACK, frozenset({"true"})),
            Argument("OnFailure", _ROLLS_BACK, frozenset({"do_nothing", "delete"})),
            Argument("OnStackFailure", _ROLLS_BACK, frozenset({"do_nothing", "delete"})),
            Argument("EnableTerminationProtection", "", frozenset({"true"})),
            Argument("RollbackConfiguration", "No alarm is watched while a stack is made."),
            Argument("ResourcesToImport", "A stack here makes its resources itself."),
        )
        for operation in ("CreateStack", "UpdateStack", "CreateChangeSet")
    },
}


TARGETS = frozenset(("logs", "sns", "sqs"))
"""Services that EventBridge's events reach here (events.py)."""


def _check_targets(targets: object) -> None:
    """Raise Refusal for a target of a rule that nothing would reach."""
    for target in targets if isinstance(targets, list) else ():
        arn = str(target.get("Arn", "")) if isinstance(target, dict) else ""
        service = (arn.split(":") + [""] * 3)[2]
        if arn.startswith("arn:") and service not in TARGETS:
            raise not_implemented(
                f"the operation events:PutTargets with a target of {service[:40]}",
                "It delivers events to SQS queues, SNS topics and log groups.",
            )


def check_arguments(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise Refusal when the tables refuse one of the arguments of an operation."""
    if (service, operation) == ("events", "PutTargets"):
        _check_targets(params.get("Targets"))
    refuse_arguments(service, operation, params, REFUSED_ARGUMENTS.get((service, operation), ()))


def refuse_arguments(
    service: str, operation: str, params: Mapping[str, Any], arguments: tuple[Argument, ...]
) -> None:
    """Raise Refusal, which names the argument, for the first of the arguments in a request."""
    for argument in arguments:
        for value in argument.refused(params):
            said = f"={value}" if argument.values or argument.form else ""
            what = f"the operation {service}:{operation} with {argument.parameter}{said}"
            raise not_implemented(what, argument.reason)
