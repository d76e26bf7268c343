"""What labs 09 and 10 say of delivery today: definitions are kept, and nothing is executed."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.sandbox_process import Running

ROLE = "arn:aws:iam::123456789012:role/demo-app"
NOWHERE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/no-such-repository:1"


def test_codebuild_runs_no_command(sandbox: Running) -> None:
    codebuild = sandbox.client("codebuild")
    spec = "version: 0.2\nphases: {build: {commands: [exit 1]}}"
    codebuild.create_project(
        name="fails",
        source={"type": "NO_SOURCE", "location": "none", "buildspec": spec},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "computeType": "BUILD_GENERAL1_SMALL",
            "image": "x",
        },
        serviceRole=ROLE,
    )
    started = codebuild.start_build(projectName="fails")["build"]["id"]
    (ended,) = codebuild.batch_get_builds(ids=[started])["builds"]
    # a real CodeBuild says FAILED; when ours does, lab 09 has to be told
    assert ended["buildStatus"] == "SUCCEEDED"


def test_codepipeline_has_no_state(sandbox: Running) -> None:
    with pytest.raises(ClientError) as refused:
        sandbox.client("codepipeline").get_pipeline_state(name="demo-app")
    assert refused.value.response["Error"]["Code"] == "NotInSandbox"


def test_ecs_takes_an_image_that_does_not_exist(sandbox: Running) -> None:
    ecs = sandbox.client("ecs")
    registered = ecs.register_task_definition(
        family="nowhere",
        containerDefinitions=[{"name": "web", "image": NOWHERE, "memory": 128}],
    )["taskDefinition"]
    ecs.create_cluster(clusterName="demo")
    made = ecs.create_service(
        cluster="demo", serviceName="web", taskDefinition="nowhere", desiredCount=1
    )["service"]
    running = ecs.list_tasks(cluster="demo")["taskArns"]
    assert (registered["status"], made["desiredCount"], running) == ("ACTIVE", 1, [])
