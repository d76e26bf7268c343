"""Tasks: run, described, listed, stopped."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.ecs import store, tasks
from labs_helpers.sandbox.ecs.call import EcsCall
from labs_helpers.sandbox.ecs.errors import InvalidParameter, Refused
from labs_helpers.sandbox.ecs.launch import check_launch
from labs_helpers.sandbox.ecs.naming import Document, arn, last, of_definition, shown
from labs_helpers.sandbox.ecs.owner import no_role
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

NOT_BUILT = {
    "ExecuteCommand": "Use `docker exec` on the task's container: `docker ps` lists it.",
    "StartTask": "Tasks run as on Fargate: use RunTask.",
    **dict.fromkeys(
        ("GetTaskProtection", "UpdateTaskProtection"), "Nothing scales services in by itself."
    ),
    **dict.fromkeys(
        (
            *("DiscoverPollEndpoint", "SubmitAttachmentStateChanges", "SubmitTaskStateChange"),
            "SubmitContainerStateChange",
        ),
        "It is for the agent of a container instance.",
    ),
}

_MOST_AT_ONCE = 10


def run_task(call: EcsCall, params: Members) -> Members:
    """Start up to ten tasks; they are PROVISIONING in the answer."""
    count = params.get("count", 1)
    if not 1 <= count <= _MOST_AT_ONCE:
        raise InvalidParameter("Count must be between 1 and 10.")
    if params.get("enableExecuteCommand"):
        raise not_here("enableExecuteCommand", NOT_BUILT["ExecuteCommand"])
    with call.store.write() as db:
        cluster = call.cluster(db, params.get("cluster"))
        definition = call.definition(db, params["taskDefinition"])
        check_launch(call, db, cluster, params, definition)
        overrides = params.get("overrides") or {}
        _check_passing(call, {**definition, **overrides})
        refused = call.tasks.check_roles({**definition, **overrides}, call.place)
        if refused:
            raise Refused(no_role(refused))
        start = tasks.Start(
            cluster=cluster,
            group=params.get("group") or f"family:{definition['family']}",
            started_by=params.get("startedBy") or "",
            tags=_tags(params, definition),
        )
        made = [tasks.new(definition, overrides, start, call.place, call.now) for _ in range(count)]
        for each in made:
            call.tasks.submit(db, call.place, cluster, each)
    return {"tasks": [shown(each) for each in made], "failures": []}


def _check_passing(call: EcsCall, definition: Document) -> None:
    """Raise AccessDenied unless the caller may pass the roles of a task's definition to ECS.

    RunTask asks for both roles, although RegisterTaskDefinition has asked for them before:
    https://github.com/aws/serverless-application-model/issues/2247 (execution role) and
    https://github.com/LBHackney-IT/Data-Platform/pull/1992 (task role). No source shows the same of
    CreateService, which does not ask here.
    """
    keys = {**call.keys, "iam:passedtoservice": ("ecs-tasks.amazonaws.com",)}
    for name in ("executionRoleArn", "taskRoleArn"):
        if role := definition.get(name):
            arn_of_role = role if ":" in role else f"arn:aws:iam::{call.account}:role/{role}"
            call.authorize(call.principal, "iam:PassRole", arn_of_role, keys)


def describe_tasks(call: EcsCall, params: Members) -> Members:
    """Stopped tasks are shown for an hour."""
    found, failures = [], []
    with call.store.read() as db:
        cluster = call.cluster(db, params.get("cluster"))
        if not params["tasks"]:
            raise InvalidParameter("Tasks cannot be empty.")
        for each in params["tasks"]:
            task = store.task(db, call.place, last(each))
            if task is None or last(task["clusterArn"]) != cluster or _is_old(call, task):
                where = arn(call.place, f"task/{cluster}/{last(each)}")
                failures.append({"arn": where, "reason": "MISSING"})
                continue
            document = shown(task)
            if "TAGS" not in (params.get("include") or []):
                document["tags"] = []
            found.append(document)
    return {"tasks": found, "failures": failures}


def list_tasks(call: EcsCall, params: Members) -> Members:
    """ARNs of tasks that run, or are to run; with desiredStatus STOPPED, of the others."""
    status = params.get("desiredStatus") or tasks.RUNNING
    if params.get("containerInstance"):
        raise InvalidParameter("No Container Instances were found in your cluster.")
    with call.store.read() as db:
        cluster = call.cluster(db, params.get("cluster"))
        service = last(params["serviceName"]) if params.get("serviceName") else None
        here = store.tasks(db, call.place, cluster, service)
    family, by = params.get("family"), params.get("startedBy")
    chosen = [
        each["taskArn"]
        for each in here
        if each["desiredStatus"] == status
        and not _is_old(call, each)
        and family in (None, of_definition(each["taskDefinitionArn"])[0])
        and by in (None, each.get("startedBy"))
        and params.get("launchType", "FARGATE") == "FARGATE"
    ]
    within = (cluster, service or "", status, family or "", by or "")
    arns, token = call.page([([each], each) for each in sorted(chosen)], params, *within)
    return {"taskArns": arns, "nextToken": token}


def stop_task(call: EcsCall, params: Members) -> Members:
    """Ask for a task's end: the answer shows the task as it is, and SIGTERM follows.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html
    """
    with call.store.write() as db:
        cluster = call.cluster(db, params.get("cluster"))
        task = store.task(db, call.place, last(params["task"]))
        if task is None or last(task["clusterArn"]) != cluster:
            raise InvalidParameter("The referenced task was not found.")
        reason = params.get("reason") or "Task stopped by user"
        call.tasks.stop(db, call.place, task, "UserInitiated", reason)
    return {"task": shown(task)}


def _is_old(call: EcsCall, task: Document) -> bool:
    return bool(call.now - task.get("stoppedAt", call.now) > store.STOPPED_TASKS_SECONDS)


def _tags(params: Members, definition: Document) -> list[Any]:
    given = list(params.get("tags") or [])
    if params.get("propagateTags") == "TASK_DEFINITION":
        names = {each["key"] for each in given}
        given += [each for each in definition["_tags"] if each["key"] not in names]
    return given
