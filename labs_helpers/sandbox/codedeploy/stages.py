"""The lifecycle events of a deployment to Amazon ECS, one function each.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html
Each function looks at the world before it changes anything, and may be called again: after a
restart, or when somebody stopped the deployment in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.codedeploy import appspec, configs
from labs_helpers.sandbox.codedeploy.deployments import (
    BEFORE_ALLOW,
    CREATED,
    IN_PROGRESS,
    PENDING,
    READY,
    STOPPED,
    SUCCEEDED,
)
from labs_helpers.sandbox.codedeploy.store import Document
from labs_helpers.sandbox.codedeploy.work import Failure, Work
from labs_helpers.sandbox.service.errors import NotHere

_PATIENCE = 60
"""Minutes in which a replacement task set has to become healthy."""
_PRIMARY, _DRAINING, _STEADY = "PRIMARY", "DRAINING", "STEADY_STATE"


def go(work: Work) -> None:
    """Go through the events as far as they lead at this moment; raises Failure."""
    doc = work.doc
    if doc["status"] == CREATED:
        doc |= {"status": IN_PROGRESS, "started": work.at}
        work.soon = True
        return
    do = _UNDO if doc["undo"] else _DO
    for each in doc["events"]:
        if each["status"] == SUCCEEDED:
            continue
        if each["name"] == BEFORE_ALLOW and not _is_ready(work):
            return
        if each["status"] == PENDING:
            each |= {"status": IN_PROGRESS, "start": work.at}
        if not do.get(each["name"], _at_once)(work):
            return
        each |= {"status": SUCCEEDED, "end": work.at}
        doc["until"] = 0.0
    if doc["undo"]:
        _discard(work)
    elif not _terminate(work):
        return
    doc |= {"status": SUCCEEDED, "completed": work.at}


def _at_once(work: Work) -> bool:
    """Only a hook would have something to do."""
    return True


def _before_install(work: Work) -> bool:
    """Read the AppSpec file, and find the task set that serves."""
    doc = work.doc
    doc["spec"] = _spec(work)
    arns = work.groups()
    primary = next((each for each in work.sets() if each["status"] == _PRIMARY), None)
    if primary is None:
        raise Failure("INVALID_ECS_SERVICE", "The ECS service does not have a primary task set.")
    blue = primary["loadBalancers"][0]["targetGroupArn"]
    greens = [arn for arn in arns.values() if arn != blue]
    if blue not in arns.values() or len(greens) != 1:
        raise Failure(
            "INVALID_ECS_SERVICE",
            "The deployment group's target groups do not include the target group of the primary "
            f"task set, {blue}.",
        )
    for listener in doc["production"]:
        if not any(blue in groups for _, _, groups in work.rules(listener)):
            raise Failure(
                "ELASTIC_LOAD_BALANCING_INVALID",
                "The ELB could not be updated due to the following error: Primary taskset target "
                f"group must be behind listener {listener}",
            )
    doc |= {"blue": primary["id"], "groups": {"blue": blue, "green": greens[0]}}
    return True


def _spec(work: Work) -> Document:
    revision = work.doc["revision"]
    if revision["revisionType"] == "S3":
        content = work.fetch(revision["s3Location"])
    else:
        content = revision[_CONTENT[revision["revisionType"]]]["content"]
    try:
        return appspec.read(content)
    except (appspec.Invalid, NotHere) as error:
        raise Failure("INVALID_REVISION", str(error)) from error


_CONTENT = {"AppSpecContent": "appSpecContent", "String": "string"}


def _install(work: Work) -> bool:
    """Make the replacement (green) task set, and wait until it is steady.

    What an earlier deployment left without rolling back is deleted first; what AWS does with that
    is not public.
    """
    doc, found = work.doc, work.sets()
    green = _green(doc["id"], found)
    if green is None:
        for each in found:
            if each["status"] not in (_PRIMARY, _DRAINING):
                work.delete_set(each["id"])
        work.send(doc["production"], *_pair(doc), 0.0)
        doc |= {"green": _create(work), "until": work.at + _PATIENCE * 60}
        work.sets()
    elif green["stabilityStatus"] == _STEADY:
        doc["green"] = green["id"]
        return True
    if work.waited(_PATIENCE):
        raise Failure(
            "TIMEOUT",
            "The deployment timed out while waiting for the replacement task set to become "
            f"healthy. This time out period is {_PATIENCE} minutes.",
        )
    work.soon = True
    return False


def _create(work: Work) -> str:
    spec = work.doc["spec"]
    balancer = {
        "targetGroupArn": work.doc["groups"]["green"],
        "containerName": spec["container"],
        "containerPort": spec["port"],
    }
    given: dict[str, Any] = {
        "taskDefinition": spec["taskDefinition"],
        "loadBalancers": [balancer],
    }
    if spec["network"]:
        given["networkConfiguration"] = spec["network"]
    return work.create_set(**given)


def _allow_tests(work: Work) -> bool:
    work.send(work.doc["tests"], *_pair(work.doc), 100.0)
    return True


def _is_ready(work: Work) -> bool:
    """deploymentReadyOption: at once, or when ContinueDeployment is called in time."""
    option = work.doc["blueGreen"].get("deploymentReadyOption") or {}
    if option.get("actionOnTimeout") != "STOP_DEPLOYMENT" or work.doc["undo"]:
        return True
    if work.doc["rerouted"]:
        return True
    minutes = option.get("waitTimeInMinutes") or 0
    if work.waited(minutes):
        raise Failure(
            "TIMEOUT",
            "The deployment timed out while waiting for a notification to continue. This time out "
            f"period is {minutes} minutes.",
            status=STOPPED,
        )
    work.doc["status"] = READY
    return False


def _allow(work: Work) -> bool:
    """Move the traffic, in steps with a pause after each but the last."""
    doc = work.doc
    moves, pause = configs.steps(doc["traffic"])
    while True:
        if not doc["until"]:
            work.send(doc["production"], *_pair(doc), moves[doc["step"]])
            doc["weight"] = moves[doc["step"]]
        if doc["step"] + 1 == len(moves):
            work.make_primary(doc["green"])
            work.sets()
            return True
        if not work.waited(pause):
            return False
        doc["step"] += 1


def _terminate(work: Work) -> bool:
    """Delete the original (blue) task set after the wait; its tasks may still be ending then."""
    doc = work.doc
    option = doc["blueGreen"].get("terminateBlueInstancesOnDeploymentSuccess") or {}
    if not doc["terminating"] and not work.waited(option.get("terminationWaitTimeInMinutes") or 0):
        return False
    doc["terminating"] = True
    if any(each["id"] == doc["blue"] for each in work.sets()):
        work.delete_set(doc["blue"])
        work.sets()
    return True


def _put_back(work: Work) -> bool:
    """Rollback: all visitors at once go back to the original task set, which still serves."""
    doc = work.doc
    if doc["undo"]["groups"]:
        work.send(doc["production"], *_pair(doc), 0.0)
    doc["weight"] = 0.0
    blue = next((each for each in work.sets() if each["id"] == doc["undo"]["blue"]), None)
    if blue is not None and blue["status"] != _PRIMARY:
        work.make_primary(blue["id"])
        work.sets()
    return True


def _put_tests_back(work: Work) -> bool:
    if work.doc["undo"]["groups"]:
        work.send(work.doc["tests"], *_pair(work.doc), 0.0)
    return True


def _discard(work: Work) -> None:
    """Rollback: delete the task set that the other deployment made."""
    green = _green(work.doc["undo"]["of"], work.sets())
    if green is not None:
        work.delete_set(green["id"])
        work.sets()


def _green(deployment: str, found: list[Document]) -> Document | None:
    """The task set that a deployment made, and that nobody has deleted."""
    for each in found:
        if each.get("externalId") == deployment and each["status"] != _DRAINING:
            return each
    return None


def _pair(doc: Mapping[str, Any]) -> tuple[str, str]:
    """The target groups of the replacement and of the original task set."""
    return doc["groups"]["green"], doc["groups"]["blue"]


_DO: Mapping[str, Callable[[Work], bool]] = {
    "BeforeInstall": _before_install,
    "Install": _install,
    "AllowTestTraffic": _allow_tests,
    "AllowTraffic": _allow,
}
_UNDO: Mapping[str, Callable[[Work], bool]] = {
    "AllowTestTraffic": _put_tests_back,
    "AllowTraffic": _put_back,
}
"""What a rollback does; its other events have nothing to do."""
