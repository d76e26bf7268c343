"""A service of ECS as it is: its deployments, its tasks, and why tasks stopped."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from html import escape
from typing import Any

from labs_helpers.display.rendering import Rendering, paragraph, spelled, table

_DEPLOYMENTS = ("deployment", "task definition", "desired", "running", "pending", "failed", "state")
_TASKS = ("task of", "image", "status", "health")
_NUMBERS = (2, 3, 4, 5)
_MOST_REASONS = 3
_IDS = re.compile(r"\b[0-9a-f]{32}\b|(?<=request id: )[0-9a-f-]{36}\b|(?<=ecs-svc/)\d+\b")
"""The ID of a task, as the name of a role's session, of a request, and of a deployment."""
_FAILURES = 3
"""Tasks that fail to start for one reason, after which waiting for one that runs is in vain."""
IN_VAIN = (
    "The waiting ends here: tasks of the newest deployment fail to start again and again, for the "
    "same reason, and none runs. Without a circuit breaker, ECS goes on trying."
)
_FAILED, _COMPLETED, _BACK = "deployment failed: ", "deployment completed", "rolling back to "


def service(
    found: Mapping[str, Any],
    tasks: Sequence[Mapping[str, Any]],
    address: Callable[[int], str] | None,
    stage: str = "",
) -> Rendering:
    """found: as DescribeServices answers; tasks: as DescribeTasks answers, stopped ones too.

    address: where the learner's browser finds a port of this machine; None for a program that
    compares outputs, which gets no links and no revisions, since both differ at each start. The
    text names no ID, port or time in any case. stage: of a deployment that goes on, as
    DescribeServiceDeployments answers.
    """
    numbered = address is not None
    live = [each for each in tasks if each["lastStatus"] != "STOPPED"]
    head = paragraph(
        f"The service {found['serviceName']} is {found['status']}: {found['runningCount']} of "
        f"{found['desiredCount']} {'task runs' if found['desiredCount'] == 1 else 'tasks run'}."
    )
    parts = [
        head,
        table(
            _DEPLOYMENTS, [_deployment(each, numbered) for each in found["deployments"]], _NUMBERS
        ),
    ]
    if live:
        parts.append(table(_TASKS, [_task(each, numbered) for each in live]))
    links = _links(live, address) if address else ""
    reasons = _reasons(tasks)
    events = _of_a_failure(found.get("events", ()))
    if not (live or reasons or events) and found["desiredCount"]:
        events = [each["message"] for each in found.get("events", ())[:1]]
    if reasons:
        parts.append(_list("Why tasks stopped, the newest first:", reasons))
    if events:
        parts.append(_list("What the service says, the newest first:", events))
    if stage:
        parts.append(
            paragraph(
                f"The deployment goes on: its stage is {stage}. Stages that last minutes go by the "
                "clock of AWS. In the sandbox that is lab.clock, and lab.clock.advance(minutes=5) "
                "moves it, once this cell has ended or you have interrupted it."
            )
        )
    text = "\n\n".join(each.text for each in parts)
    return Rendering(text, "".join(each.html for each in parts) + links)


def has_settled(found: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether nothing more happens by itself: the deployment has ended, and so have old tasks.

    The two answers are of two moments: a service that counts other tasks than there are has not
    settled.
    """
    live = [each for each in tasks if each["lastStatus"] != "STOPPED"]
    if found["status"] != "ACTIVE":
        return not live
    if found["runningCount"] != sum(each["lastStatus"] == "RUNNING" for each in live):
        return False
    deployments = found["deployments"]
    if any(
        (one["status"], one.get("rolloutState")) == ("PRIMARY", "FAILED") for one in deployments
    ):
        return True
    # one that has failed and is not PRIMARY any more is being rolled back
    states = [each.get("rolloutState") for each in deployments]
    return states == ["COMPLETED"] and len(live) == found["desiredCount"]


def fails_to_start(
    found: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], earlier: Collection[str]
) -> bool:
    """Whether the newest deployment starts tasks in vain, and nothing ends the deployment.

    earlier: the ARNs of the tasks that the first look found. One task at least has to be newer:
    what was wrong may have been put right since the earlier ones.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentCircuitBreaker.html
    """
    breaker = found.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {})
    if breaker.get("enable") or not found["deployments"] or found["deployments"][0]["runningCount"]:
        return False
    own = [each for each in tasks if each.get("startedBy") == found["deployments"][0].get("id")]
    failed = [each for each in own if each.get("stopCode") == "TaskFailedToStart"]
    reasons = {_IDS.sub("…", each.get("stoppedReason", "")) for each in failed}
    newer = [each for each in failed if each["taskArn"] not in earlier]
    return bool(newer) and len(failed) >= _FAILURES and len(reasons) == 1


def _deployment(each: Mapping[str, Any], numbered: bool) -> tuple[str, ...]:
    return (
        each["status"],
        _definition(each["taskDefinition"], numbered),
        *(str(each[name]) for name in ("desiredCount", "runningCount", "pendingCount")),
        str(each.get("failedTasks", 0)),
        each.get("rolloutState", ""),
    )


def _definition(arn: str, numbered: bool) -> str:
    name = arn.rpartition("/")[2]
    return name if numbered else name.rpartition(":")[0]


def _task(each: Mapping[str, Any], numbered: bool) -> tuple[str, ...]:
    images = ", ".join(one["image"].rpartition("/")[2] for one in each["containers"])
    revision = _definition(each["taskDefinitionArn"], numbered)
    return revision, images, each["lastStatus"], each["healthStatus"]


def _links(tasks: Sequence[Mapping[str, Any]], address: Callable[[int], str]) -> str:
    """A link to each port of each task."""
    found = [
        (each["taskArn"].rpartition("/")[2][:8], address(port["hostPort"]))
        for each in tasks
        for container in each["containers"]
        for port in container.get("networkBindings", ())
    ]
    items = "".join(
        f'<li>task {escape(name)}…: <a href="{escape(place)}" target="_blank" rel="noopener">'
        f"{escape(place)}</a></li>"
        for name, place in found
    )
    return f"<ul>{items}</ul>" if items else ""


def _list(head: str, items: Sequence[str]) -> Rendering:
    said = [_IDS.sub("…", each) for each in items]
    text = "\n".join(f"- {each}" for each in said)
    listed = "".join(f"<li>{spelled(each)}</li>" for each in said)
    return Rendering(f"{head}\n{text}", f"<p>{head}</p><ul>{listed}</ul>")


def _of_a_failure(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the events, newest first, say of the last deployment, where that one failed.

    After a rollback the deployment from before is completed once more.
    """
    newer: list[str] = []
    for event in events:
        message = str(event["message"])
        newer.append(message)
        if _FAILED not in message:
            continue
        back = [each for each in newer if _BACK in each]
        completed = [each.partition("(deployment ")[2] for each in newer if _COMPLETED in each]
        restored = back[-1].partition(_BACK + "deployment ")[2].rstrip(".") if back else None
        if any(each.partition(")")[0] != restored for each in completed):
            return []
        return [*back[-1:], message]
    return []


def _reasons(tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    stopped = [each for each in tasks if each["lastStatus"] == "STOPPED"]
    stopped.sort(key=lambda each: each["stoppedAt"], reverse=True)
    # equal but for IDs is the same reason
    told = (_IDS.sub("…", each.get("stoppedReason", "")) for each in stopped)
    # a reason names its deployment by a random number, and the table shows which that is
    kept = [each for each in told if each and not each.startswith("Scaling activity")]
    return list(dict.fromkeys(kept))[:_MOST_REASONS]
