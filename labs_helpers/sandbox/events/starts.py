"""Targets that an event starts with the target's role: builds, pipelines, tasks; and other buses.

Each is a signed call of the role's, so that IAM decides as on AWS.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.events import permission, store
from labs_helpers.sandbox.events.loops import Loops
from labs_helpers.sandbox.events.router import Router
from labs_helpers.sandbox.events.sending import Failed, Send, Sending, unreachable
from labs_helpers.sandbox.iam.service_roles import Assumed, Principal, RoleRefused, ServiceRoles
from labs_helpers.sandbox.service.store import Store

EVENTS = Principal(permission.SERVICE, "EventBridge")

_AGAIN = {"ThrottlingException", "AccountLimitExceededException", "ServiceUnavailable"}
"""Errors after which EventBridge tries again."""
_CODES: Mapping[str, str] = {
    "AccessDeniedException": "NO_PERMISSIONS",
    "AccountLimitExceededException": "RESOURCE_LIMIT_EXCEEDED",
    "ClusterNotFoundException": "NO_RESOURCE",
    "PipelineNotFoundException": "NO_RESOURCE",
    "ResourceNotFoundException": "NO_RESOURCE",
    "ThrottlingException": "THROTTLING",
}
"""Codes of a dead-letter queue by those of the service that was called.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html lists the codes, and does
not say which error has which; any other error is ERROR_FROM_TARGET.
"""

Start = Callable[[Assumed, Sending], None]


def senders(roles: ServiceRoles, router: Router, state: Store) -> dict[str, Send]:
    """By service, what sends."""

    def to_bus(sending: Sending) -> None:
        _to_bus(sending, router, state)

    loops = Loops()
    starts: Mapping[str, Start] = {
        "codebuild": _build,
        "codepipeline": _pipeline,
        "ecs": _task,
    }
    return {
        "events": to_bus,
        **{service: _by_role(roles, start, loops) for service, start in starts.items()},
    }


def _by_role(roles: ServiceRoles, start: Start, loops: Loops) -> Send:
    def send(sending: Sending) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        loops.check(sending)
        role = sending.target["RoleArn"]
        session = sending.sender.rule.rpartition("/")[2]
        keys = {name: sending.sender.keys[name] for name in ("aws:sourcearn", "aws:sourceaccount")}
        try:
            taken = roles.assume(role, EVENTS, session, sending.place[1], keys)
        except RoleRefused as error:
            raise Failed("FAILED_TO_ASSUME_ROLE", str(error)) from error
        try:
            start(taken, sending)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            words = error.response["Error"]["Message"]
            raise Failed(_CODES.get(code, "ERROR_FROM_TARGET"), words, code in _AGAIN) from error
        except BotoCoreError as error:
            raise Failed("CONNECTION_FAILURE", str(error), again=True) from error
        loops.note(sending)

    return send


def _build(taken: Assumed, sending: Sending) -> None:
    """StartBuild; an input of the rule's own overrides parameters of the build.

    https://docs.aws.amazon.com/codebuild/latest/userguide/use-case-based-samples.html
    """
    project = sending.resource.removeprefix("project/")
    client = taken.client("codebuild")
    client.start_build(**_own(client, "StartBuild", sending) | {"projectName": project})


def _pipeline(taken: Assumed, sending: Sending) -> None:
    """StartPipelineExecution; an input of the rule's own has variables and source revisions.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-pipeline-event-rule.html
    """
    client = taken.client("codepipeline")
    given = _own(client, "StartPipelineExecution", sending)
    client.start_pipeline_execution(**given | {"name": sending.resource})


def _task(taken: Assumed, sending: Sending) -> None:
    """RunTask; an input of the rule's own overrides parameters of the task.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/tasks-scheduled-eventbridge-scheduler.html
    """
    given = dict(sending.target["EcsParameters"])
    asked: dict[str, Any] = {
        "cluster": sending.arn,
        "taskDefinition": given.pop("TaskDefinitionArn"),
        "count": given.pop("TaskCount", 1),
        "startedBy": f"events-rule/{sending.sender.rule.rpartition('/')[2]}"[:128],
        **_small(given),
    }
    if overrides := _input(sending):
        asked["overrides"] = overrides
    told = taken.client("ecs").run_task(**asked)
    if told.get("failures"):
        words = "; ".join(f"{one.get('arn', '')}: {one['reason']}" for one in told["failures"])
        raise Failed("ERROR_FROM_TARGET", words)


def _to_bus(sending: Sending, router: Router, state: Store) -> None:
    """Give the event to the rules of another bus, once: no bus passes on what came by a bus.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
    """
    place, name = sending.place, sending.resource.removeprefix("event-bus/")
    if sending.hops:
        words = "The event came by another event bus, and goes on to no third one."
        raise Failed("THIRD_ACCOUNT_HOP_DETECTED", words)
    with state.read() as db:
        if store.bus(db, place, name) is None:
            raise unreachable("there is no such event bus")
    sending.require("events:PutEvents", sending.arn, list(store.policies(state, sending.arn)))
    router.offer(place, name, dict(sending.event), hops=sending.hops + 1)


def _input(sending: Sending) -> dict[str, Any]:
    """The JSON object that the rule's own input makes; empty without an input."""
    if not any(sending.target.get(name) for name in ("Input", "InputPath", "InputTransformer")):
        return {}
    try:
        found = json.loads(sending.message)
    except ValueError as error:
        raise Failed("INVALID_JSON", f"the input is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Failed("INVALID_PARAMETER", "the input is no JSON object")
    return found


def _own(client: Any, operation: str, sending: Sending) -> dict[str, Any]:
    """Those members of the rule's own input that the operation has."""
    members = client.meta.service_model.operation_model(operation).input_shape.members
    return {name: value for name, value in _input(sending).items() if name in members}


def _small(value: Any) -> Any:
    """A structure whose members begin with a small letter, as ECS's own operations spell them."""
    if isinstance(value, Mapping):
        return {f"{name[:1].lower()}{name[1:]}": _small(each) for name, each in value.items()}
    return [_small(each) for each in value] if isinstance(value, list) else value
