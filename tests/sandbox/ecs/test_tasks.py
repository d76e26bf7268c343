"""Tasks that really run: image, log, credentials, secrets, ends and the reasons of ends."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from labs_helpers.control_client import Control
from tests.policies import allow
from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.ecs.task_room import (
    ACCOUNT,
    EXECUTION,
    NETWORK,
    PATIENCE,
    REGISTRY,
    TRUST,
    Room,
    logs_to,
)

IMAGE = f"{REGISTRY}/web:one"
TASK = f"arn:aws:sts::{ACCOUNT}:assumed-role"


def said(room: Room, arn: str) -> str:
    """What the log stream of the task's container app holds."""
    stream = f"web/app/{arn.rpartition('/')[2]}"
    found = room.client("logs").get_log_events(
        logGroupName="/ecs/web", logStreamName=stream, startFromHead=True
    )
    return "".join(f"{each['message']}\n" for each in found["events"])


def shell(text: str) -> dict[str, Any]:
    return {"entryPoint": ["sh", "-c"], "command": [text]}


def page(task: dict[str, Any]) -> str:
    """What the first port of a task's first container serves, once its program listens."""
    port = task["containers"][0]["networkBindings"][0]["hostPort"]
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                return str(answer.read().decode().strip())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_task_serves_its_page_until_somebody_stops_the_task(room: Room) -> None:
    ports = [{"containerPort": 8080}]
    definition = room.define("page", IMAGE, portMappings=ports, logConfiguration=logs_to())
    arn = room.run(definition)
    assert room.task(arn)["desiredStatus"] == "RUNNING"
    task = room.until(arn, "RUNNING")
    assert page(task) == "one"
    details = room.client("ecr").describe_images(
        repositoryName="web", imageIds=[{"imageTag": "one"}]
    )["imageDetails"][0]
    assert task["containers"][0]["imageDigest"] == details["imageDigest"]
    assert room.ecs.list_tasks()["taskArns"] == [arn]

    asked = room.ecs.stop_task(task=arn, reason="lunch")["task"]
    assert (asked["lastStatus"], asked["desiredStatus"]) == ("RUNNING", "STOPPED")
    ended = room.until(arn, "STOPPED")
    assert (ended["stopCode"], ended["stoppedReason"]) == ("UserInitiated", "lunch")
    assert ended["containers"][0]["exitCode"] == 0
    assert said(room, arn) == "serving one\n"
    assert not [name for name in room.containers() if name.startswith("ecs-page")]
    assert room.ecs.list_tasks()["taskArns"] == []
    assert room.ecs.list_tasks(desiredStatus="STOPPED")["taskArns"].count(arn) == 1


def test_an_essential_container_ends_its_task_with_its_exit_code(room: Room) -> None:
    task = room.stopped(room.define("exits", IMAGE, **shell("exit 3")))
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 3


@pytest.fixture(scope="module")
def values(room: Room) -> dict[str, str]:
    """A secret and a parameter: name -> ARN."""
    secret = room.client("secretsmanager").create_secret(Name="db", SecretString='{"word": "moon"}')
    room.client("ssm").put_parameter(Name="/web/color", Value="blue", Type="SecureString")
    return {"db": secret["ARN"], "color": f"arn:aws:ssm:us-west-2:{ACCOUNT}:parameter/web/color"}


def test_the_execution_role_reads_secrets_and_the_task_role_is_the_programs(
    room: Room, values: dict[str, str]
) -> None:
    reads = allow("secretsmanager:GetSecretValue", "ssm:GetParameters", "kms:Decrypt")
    executes = room.role("reads", EXECUTION, reads)
    role = room.role("app")
    script = "echo $WORD $COLOR; wget -q -O - $AWS_CONTAINER_CREDENTIALS_FULL_URI"
    arn = room.run(
        room.define(
            "secrets",
            IMAGE,
            executionRoleArn=executes,
            taskRoleArn=role,
            logConfiguration=logs_to(),
            secrets=[
                {"name": "WORD", "valueFrom": f"{values['db']}:word::"},
                {"name": "COLOR", "valueFrom": values["color"]},
            ],
            **shell(script),
        )
    )
    room.until(arn, "STOPPED")
    log = said(room, arn)
    assert log.startswith("moon blue\n")
    assert f'"RoleArn": "{role}"' in log
    assert '"SecretAccessKey"' in log


def test_the_task_roles_session_lasts_as_long_as_the_task_and_six_hours(room: Room) -> None:
    wait = partial(Control(room.workspace).ask, "POST", "clock")
    script = "wget -q -O - $AWS_CONTAINER_CREDENTIALS_FULL_URI; echo; exec sleep 1000"
    lasting = room.define(
        "lasting",
        IMAGE,
        taskRoleArn=room.role("lasting"),
        logConfiguration=logs_to(),
        **shell(script),
    )
    arn = room.run(lasting)
    room.until(arn, "RUNNING")
    log = room.once(lambda: {"log": said(room, arn)}, lambda found: "}" in found["log"])["log"]
    keys = json.loads(log)
    sts = room.signed("sts", keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])
    who = f"{TASK}/lasting/{arn.rpartition('/')[2]}"
    wait({"advance_seconds": timedelta(days=30).total_seconds()})
    assert sts.get_caller_identity()["Arn"] == who
    room.ecs.stop_task(cluster="default", task=arn)
    room.until(arn, "STOPPED")
    wait({"advance_seconds": timedelta(hours=5).total_seconds()})
    assert sts.get_caller_identity()["Arn"] == who
    wait({"advance_seconds": timedelta(hours=2).total_seconds()})
    assert refusal_of(sts, "get_caller_identity")[1] == "ExpiredToken"


def test_the_reason_says_why_a_task_did_not_start(room: Room, values: dict[str, str]) -> None:
    """Everything that the execution role, the registry or the image can refuse."""
    nobody = room.role("nobody")
    only_login = room.role("only-login", allow("ecr:GetAuthorizationToken"))
    auth = "ResourceInitializationError: unable to pull secrets or registry auth: execution "
    auth += "resource retrieval failed: "
    pull = "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
    missing = f"{REGISTRY}/web:none"
    cases: list[tuple[str, dict[str, Any], str]] = [
        (
            IMAGE,
            {"executionRoleArn": nobody},
            f"{auth}unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
            f"AccessDeniedException: User: {TASK}/nobody/",
        ),
        (
            IMAGE,
            {"executionRoleArn": only_login},
            f"{pull}failed to resolve ref {IMAGE}: pulling from host {REGISTRY} failed with status "
            "code [manifests one]: 403 Forbidden",
        ),
        (missing, {}, f"{pull}failed to resolve ref {missing}: {missing}: not found"),
        (
            f"{REGISTRY}/no-such-repository:1",
            {},
            f"{pull}failed to resolve ref {REGISTRY}/no-such-repository:1: "
            f"{REGISTRY}/no-such-repository:1: not found",
        ),
        (
            "nobody/no-such-image",
            {},
            f"{pull}failed to resolve ref docker.io/nobody/no-such-image:latest: pull access "
            "denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed",
        ),
        (
            IMAGE,
            {"logConfiguration": logs_to("/ecs/none")},
            "ResourceInitializationError: failed to validate logger args: create stream has been "
            "retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: "
            "The specified log group does not exist. : exit status 1",
        ),
        (
            IMAGE,
            {"secrets": [{"name": "A", "valueFrom": values["db"]}]},
            f"{auth}unable to retrieve secret from asm: service call has been retried 1 time(s): "
            f"failed to fetch secret {values['db']} from secrets manager: AccessDeniedException: "
            f"User: {TASK}/execution/",
        ),
        (
            IMAGE,
            {"secrets": [{"name": "A", "valueFrom": "/web/color"}]},
            f"{auth}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
            f"AccessDeniedException: User: {TASK}/execution/",
        ),
        (
            IMAGE,
            {"command": ["/no/such/program"]},
            "CannotStartContainerError: ResourceInitializationError: failed to create new "
            "container runtime task: failed to create shim task: OCI runtime create failed: ",
        ),
    ]
    arns = [
        room.run(room.define(f"fails-{at}", image, **changed))
        for at, (image, changed, _) in enumerate(cases)
    ]
    for arn, (_, _, reason) in zip(arns, cases, strict=True):
        task = room.until(arn, "STOPPED")
        assert task["stoppedReason"].startswith(reason), task["stoppedReason"]
        assert task["stopCode"] == "TaskFailedToStart"
        assert "startedAt" not in task
        assert "exitCode" not in task["containers"][0]
    assert not [name for name in room.containers() if name.startswith("ecs-fails")]


def test_an_image_for_another_architecture_is_pulled_and_cannot_be_executed(room: Room) -> None:
    arm = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    architecture = room.docker.info()["Architecture"]
    other = arm if architecture in ("x86_64", "amd64") else {"cpuArchitecture": "X86_64"}
    definition = room.define("foreign", IMAGE, runtimePlatform=other, logConfiguration=logs_to())
    arn = room.run(definition)
    task = room.until(arn, "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["containers"][0]["exitCode"] == 255
    assert said(room, arn) == "exec sh: exec format error\n"


def test_containers_of_a_task_start_in_order_and_end_together(room: Room) -> None:
    task_definition = room.ecs.register_task_definition(
        family="several",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/execution",
        containerDefinitions=[
            {
                "name": "app",
                "image": IMAGE,
                "logConfiguration": logs_to(),
                "dependsOn": [
                    {"containerName": "migrate", "condition": "SUCCESS"},
                    {"containerName": "server", "condition": "START"},
                ],
                **shell("until wget -q -O - http://localhost:8080/; do :; done; exit 4"),
            },
            {"name": "migrate", "image": IMAGE, "essential": False, **shell("exit 0")},
            {"name": "server", "image": IMAGE, "portMappings": [{"containerPort": 8080}]},
        ],
    )["taskDefinition"]
    arn = room.run(task_definition["taskDefinitionArn"])
    task = room.until(arn, "STOPPED")
    codes = {each["name"]: each["exitCode"] for each in task["containers"]}
    assert codes == {"app": 4, "migrate": 0, "server": 0}
    assert said(room, arn) == "one\n"


def test_the_health_check_of_the_definition_is_run(room: Room) -> None:
    check = {"command": ["CMD-SHELL", "cat /healthy"], "interval": 5, "retries": 1}
    script = "trap 'exit 0' TERM; echo yes > /healthy; sleep 1000 & wait"
    arn = room.run(room.define("checked", IMAGE, healthCheck=check, **shell(script)))
    assert room.until(arn, "RUNNING")["healthStatus"] == "UNKNOWN"
    task = room.once(lambda: room.task(arn), lambda task: task["healthStatus"] != "UNKNOWN")
    assert task["healthStatus"] == task["containers"][0]["healthStatus"] == "HEALTHY"
    room.ecs.stop_task(task=arn)
    room.until(arn, "STOPPED")


def test_roles_are_asked_for_before_a_task_runs(room: Room) -> None:
    trust = TRUST.replace("ecs-tasks", "ec2")
    stranger = room.role("stranger", trust=trust)
    definition = room.define("stranger", IMAGE, executionRoleArn=stranger)
    refused = refusal_of(
        room.ecs,
        "run_task",
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )
    assert refused[1] == "ClientException"
    assert refused[2].startswith(
        f"ECS was unable to assume the role '{stranger}' that was provided"
    )
