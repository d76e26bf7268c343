"""What a stage's role was refused, in AWS's own words, and whether the role may do it now."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labs_helpers.checks.permissions import Permission, Role
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery.deployed import Actions

_DENIED = re.compile(
    r":assumed-role/([\w+=,.@-]+)/\S+ is not authorized to perform: ([\w-]+:\w+)"
    r" on resource: ([^\s\"']+)"
)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""


def is_allowed_now(world: World, text: str) -> bool:
    """Whether the roles may now do all that a text says they were refused; False for nothing."""
    if not (asked := list(dict.fromkeys(_DENIED.findall(text)))):
        return False
    client = world.client("iam")
    return all(
        Role(client, role, world.now()).allowed([Permission(action, resource, world.region)])
        for role, action, resource in asked
    )


def log_of(world: World, made: Actions, stage: str) -> str:
    """The end of the log of the newest build of a stage; "" where there is none.

    made: the actions of an execution, the newest first.
    """
    build = next(_builds(made, stage), "")
    found = world.client("codebuild").batch_get_builds(ids=[build])["builds"] if build else []
    logs = found[0].get("logs", {}) if found else {}
    if not logs.get("streamName"):
        return ""
    client = world.client("logs")
    try:
        events = client.get_log_events(
            logGroupName=logs["groupName"], logStreamName=logs["streamName"]
        )["events"]
    except client.exceptions.ResourceNotFoundException:  # somebody has deleted the log
        return ""
    return "".join(str(one["message"]) for one in events)


def _builds(made: Actions, stage: str) -> Iterator[str]:
    for one in made:
        result = one.get("output", {}).get("executionResult", {})
        if one["stageName"] == stage and result.get("externalExecutionId"):
            yield str(result["externalExecutionId"])
