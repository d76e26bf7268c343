"""Which targets a rule can have here, and what each needs.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.service.errors import ValidationError, not_here

BY_ROLE: Mapping[str, str] = {
    "codebuild": "project/",
    "codepipeline": "",
    "ecs": "cluster/",
    "events": "event-bus/",
}
"""Services whose targets need a role, and how their resources begin."""
_KINDS: Mapping[str, str] = {"logs": "log-group:", "sns": "", "sqs": "", **BY_ROLE}
_DELIVERED = (
    "It delivers events to SQS queues, SNS topics, log groups and other event buses, and starts "
    "builds of CodeBuild, pipelines of CodePipeline and tasks of ECS."
)
_INPUTS = ("Input", "InputPath", "InputTransformer")


def check(target: Mapping[str, Any]) -> None:
    """Raise ServiceError for a target that EventBridge refuses, or that no event would reach."""
    arn = target["Arn"]
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[5]:
        words = f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        raise ValidationError(words)
    service, account, resource = parts[2], parts[4], parts[5]
    kind = _KINDS.get(service)
    if kind is None:
        raise not_here(
            f"the operation events:PutTargets with a target of {service[:40]};", _DELIVERED
        )
    if not account or not resource.startswith(kind):
        named = f"begin with {kind}" if kind else "follow an account"
        words = f"Parameter {arn} is not valid. Reason: Its resource has to {named}."
        raise ValidationError(words)
    if service in BY_ROLE and not target.get("RoleArn"):
        raise ValidationError(f"RoleArn is required for target {arn}.")
    if service == "ecs" and not target.get("EcsParameters"):
        raise ValidationError(
            f"Parameter(s) EcsParameters must be specified for target: {target['Id']}."
        )
    if arn.endswith(".fifo") and not target.get("SqsParameters", {}).get("MessageGroupId"):
        raise ValidationError(
            f"Parameter(s) SqsParameters must be specified for target: {target['Id']}."
        )
    _check_input(target)
    _check_dead_letters(target)


def _check_input(target: Mapping[str, Any]) -> None:
    if sum(target.get(name) is not None for name in _INPUTS) > 1:
        raise ValidationError(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target "
            f"{target['Id']}."
        )


def _check_dead_letters(target: Mapping[str, Any]) -> None:
    queue = target.get("DeadLetterConfig", {}).get("Arn", "")
    if not queue:
        return
    if queue.split(":", 5)[2:3] != ["sqs"]:
        raise ValidationError(
            f"Parameter DeadLetterConfig is not valid. Reason: {queue} is no ARN of an SQS queue."
        )
    if queue.endswith(".fifo"):
        raise ValidationError(
            "Parameter DeadLetterConfig is not valid. Reason: A queue for dead letters is a "
            "standard queue, and no FIFO queue."
        )
