"""What the scheduler does next for a service: a pure function of the service and its tasks.

Rolling update: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
Circuit breaker:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
Words of the events:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecs import alarms, deployments, going_back, releases, tasks
from labs_helpers.sandbox.ecs.deployments import COMPLETED, FAILED, IN_PROGRESS, say
from labs_helpers.sandbox.ecs.naming import Document
from labs_helpers.sandbox.ecs.plans import Plan

SCHEDULER = "ServiceSchedulerInitiated"
UNHEALTHY = "Task failed container health checks"
STEADY_SECONDS = 2.0
"""How long a task without a health check runs before the task counts as started.

AWS names no time. A task whose program ends at once has to count as failed, or a broken release
would complete its deployment.
"""
_LONGEST_PAUSE = 60.0
_LEAST = 3
"""Failed starts one after another, after which the service says that its tasks do not start."""


def plan(service: Document, found: Sequence[Document], at: float, real: float) -> Plan:
    """The next step of a service that is ACTIVE or DRAINING.

    found: all its tasks; at: sandbox time, for the documents; real: the machine's time, for pauses.
    """
    made = Plan()
    desired = service["desiredCount"] if service["status"] == "ACTIVE" else 0
    primary = deployments.primary(service)
    primary["desiredCount"] = desired
    count_tasks(service, found, made, at, real)
    release = releases.current(service)
    if going_back.trips(service, primary, desired):
        primary = going_back.trip(service, primary, made, at)
    elif alarms.ring(service):
        primary = going_back.ring(service, primary, made, at)
    elif release is not None and release["status"] == releases.ROLLBACK_REQUESTED:
        primary = going_back.take_back(service, primary, made, at)
    stopped = {task["_id"] for task, _, _ in made.stop}
    live = [task for task in found if tasks.is_live(task) and task["_id"] not in stopped]
    _roll(service, primary, live, desired, made, at, real)
    _settle(service, primary, found, desired, made, at, real)
    deployments.count(service, found)
    return made


def count_tasks(
    service: Document, found: Sequence[Document], made: Plan, at: float, real: float
) -> None:
    """Note which images the tasks of each deployment run, and how many tasks failed."""
    for each in service["deployments"]:
        _remember_digests(each, found)
        releases.note_images(service, each)
        _count_failures(service, each, found, made, at, real)


def is_up(task: Mapping[str, Any], real: float) -> bool:
    """Whether a task serves: it runs, and its health checks pass."""
    if task["lastStatus"] != tasks.RUNNING or tasks.waits_for_health(task):
        return False
    if "_target" in task:
        return bool(task["_target"][0] == "healthy")
    checked = bool(task["healthStatus"] == "HEALTHY")
    return checked or bool(real - task.get("_running_since", real) >= STEADY_SECONDS)


def _remember_digests(deployment: Document, found: Sequence[Document]) -> None:
    """Every task of a deployment runs the image that its first task found under the tag.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html#deployment-container-image-stability
    """
    if deployment["_digests"]:
        return
    for task in found:
        if task["_deployment"] != deployment["id"]:
            continue
        pinned = {
            each["name"]
            for each in task["_definition"]["containerDefinitions"]
            if each.get("versionConsistency") != "disabled"
        }
        deployment["_digests"] = {
            each["name"]: each["imageDigest"]
            for each in task["containers"]
            if each["name"] in pinned and each.get("imageDigest")
        }
        if deployment["_digests"]:
            return


def _count_failures(
    service: Document,
    deployment: Document,
    found: Sequence[Document],
    made: Plan,
    at: float,
    real: float,
) -> None:
    """Tasks that stopped by themselves, and those that are unhealthy, which are stopped."""
    there = {task["_id"] for task in found}
    deployment["_counted"] = [each for each in deployment["_counted"] if each in there]
    for task in found:
        if task["_deployment"] != deployment["id"] or task["_id"] in deployment["_counted"]:
            continue
        if tasks.is_live(task) and task["healthStatus"] == "UNHEALTHY":
            made.stop.append((task, SCHEDULER, UNHEALTHY))
            say(service, f"(task {task['_id']}) failed container health checks.", at)
        elif tasks.is_live(task) and _fails_target(service, task, real):
            _, group, why, port = task["_target"]
            made.stop.append(
                (task, SCHEDULER, f"Task failed ELB health checks in (target-group {group})")
            )
            said = f"(port {port}) is unhealthy in (target-group {group}) due to (reason {why})."
            say(service, f"(task {task['_id']}) {said}", at)
        elif task["lastStatus"] != tasks.STOPPED or _was_ended(task):
            continue
        deployment["_counted"].append(task["_id"])
        failed(service, deployment, made, at, real)
    if any(
        task["_deployment"] == deployment["id"] and tasks.is_live(task) and is_up(task, real)
        for task in found
    ):
        deployment["_failures"] = 0


def _fails_target(service: Mapping[str, Any], task: Mapping[str, Any], real: float) -> bool:
    """Whether a load balancer finds a task unhealthy, after the service's grace period.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
    """
    grace = service.get("healthCheckGracePeriodSeconds") or 0
    running = real - task.get("_running_since", real)
    return bool(task.get("_target", [""])[0] == "unhealthy" and running >= grace)


def _was_ended(task: Mapping[str, Any]) -> bool:
    """Whether a user or the sandbox ended a task, which is no failure of the release."""
    return task.get("stopCode") in (SCHEDULER, "UserInitiated") or bool(task.get("_lost"))


def failed(service: Document, deployment: Document, made: Plan, at: float, real: float) -> None:
    """A task of a deployment has failed: the next one waits, longer each time.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html (which
    gives no times)
    """
    service["_steady"] = False
    deployment["_failures"] += 1
    if deployment["rolloutState"] == IN_PROGRESS:
        deployment["failedTasks"] += 1
    pause = min(0.5 * 2 ** (deployment["_failures"] - 1), _LONGEST_PAUSE)
    deployment["_retry_at"] = real + pause
    if deployment["_failures"] == _LEAST:
        say(
            service,
            "is unable to consistently start tasks successfully. For more information, see the "
            "Troubleshooting section of the Amazon ECS Developer Guide.",
            at,
        )
        made.news.append(("SERVICE_TASK_START_IMPAIRED", "", ""))


def _roll(
    service: Document,
    primary: Document,
    live: Sequence[Document],
    desired: int,
    made: Plan,
    at: float,
    real: float,
) -> None:
    """Start and stop as many tasks as minimumHealthyPercent and maximumPercent allow."""
    config = service["deploymentConfiguration"]
    least = -(-desired * config["minimumHealthyPercent"] // 100)
    most = desired * config["maximumPercent"] // 100
    new = [task for task in live if task["_deployment"] == primary["id"]]
    old = [task for task in live if task["_deployment"] != primary["id"]]
    up = sum(is_up(task, real) for task in live)
    new_up = sum(is_up(task, real) for task in new)
    wanted = desired - len(new)
    room = most - len(live)
    if wanted > 0 and primary["rolloutState"] != FAILED:
        if primary["_retry_at"] <= real:
            made.starts[primary["id"]] = max(min(wanted, room), 0)
        made.again = True
    ending = sorted(new, key=lambda task: is_up(task, real))[: max(-wanted, 0)]
    if primary["rolloutState"] != FAILED:
        # those that are not up serve nobody; of the others, as many as the minimum leaves
        surplus = new_up + len(old) - desired
        if wanted > 0 and room <= 0:
            surplus = max(surplus, wanted)
        waiting = [task for task in old if not is_up(task, real)]
        serving = [task for task in old if is_up(task, real)]
        free = max(min(up - least, surplus - len(waiting)), 0)
        ending += waiting + serving[:free]
        if wanted > 0 and room <= 0 and not ending:
            _stuck(service, at)
    end(service, ending, made, at)


def _stuck(service: Document, at: float) -> None:
    text = (
        "was unable to stop or start tasks during a deployment because of the service deployment "
        "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )
    if not service["events"] or text not in service["events"][0]["message"]:
        say(service, text, at)


def end(service: Document, ending: Sequence[Document], made: Plan, at: float) -> None:
    """Plan the end of some tasks, and say so."""
    running = [task for task in ending if task["lastStatus"] == tasks.RUNNING]
    for task in ending:
        reason = f"Scaling activity initiated by (deployment {task['_deployment']})"
        made.stop.append((task, SCHEDULER, reason))
    if running:
        say(
            service, f"has stopped {len(running)} running tasks: {deployments.listed(running)}.", at
        )
        made.news.append(("TASKS_STOPPED", "", ""))
    if len(ending) > len(running):
        say(service, f"stopped {len(ending) - len(running)} pending tasks.", at)
    if ending:
        service["_steady"] = False


def _settle(
    service: Document,
    primary: Document,
    found: Sequence[Document],
    desired: int,
    made: Plan,
    at: float,
    real: float,
) -> None:
    """With nothing left to do, the deployment is complete, or the service steady or INACTIVE."""
    left = tasks.left(found)
    if deployments.is_ending(service, left):
        return
    new = [task for task in left if task["_deployment"] == primary["id"]]
    up = [task for task in new if is_up(task, real) and tasks.is_live(task)]
    others = [task for task in left if task not in new and tasks.is_live(task)]
    settled = len(up) == desired == len(new) and not others and not any(made.starts.values())
    if not settled:
        made.again |= any(task["lastStatus"] == tasks.RUNNING for task in new)
        return
    if primary["rolloutState"] == IN_PROGRESS:
        baked, until = alarms.has_baked(service, at)
        if not baked:
            made.due = until
            return
        release = releases.current(service)
        if release is not None:
            back = release["status"] == releases.ROLLBACK_IN_PROGRESS
            ended = releases.ROLLBACK_SUCCESSFUL if back else releases.SUCCESSFUL
            release["_weight"] = 0.0 if back else 100.0
            releases.finish(release, ended, at)
        service["deployments"] = [primary]
    complete(service, primary, made, at)


def complete(service: Document, primary: Document, made: Plan, at: float) -> None:
    """The deployment has all its tasks, and nothing is left to do."""
    if primary["rolloutState"] == IN_PROGRESS:
        reason = f"ECS deployment {primary['id']} completed."
        primary |= {
            "rolloutState": COMPLETED,
            "rolloutStateReason": reason,
            "updatedAt": at,
            "_completed": True,
        }
        say(service, f"(deployment {primary['id']}) deployment completed.", at)
        made.news.append(("SERVICE_DEPLOYMENT_COMPLETED", primary["id"], reason))
    settle(service, primary, made, at)


def settle(service: Document, primary: Document, made: Plan, at: float) -> None:
    """Say that the service is steady, once the deployment is complete."""
    if primary["rolloutState"] == COMPLETED:
        say_steady(service, made, at)


def say_steady(service: Document, made: Plan, at: float) -> None:
    """Say once that the service is steady, until something of the service changes."""
    if not service["_steady"]:
        service["_steady"] = True
        say(service, "has reached a steady state.", at)
        made.news.append(("SERVICE_STEADY_STATE", "", ""))
