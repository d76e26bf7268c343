"""Who starts deployments: CodePipeline's CodeDeployToECS, a revision in S3, `aws ecs deploy`."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.policies import allow
from tests.sandbox.codedeploy.deploy_room import BLUE_GREEN, Aws, Deployed, spec
from tests.sandbox.codepipeline.pipeline_room import ROLE, SOURCE, STORE, TRUST, action, s3_source
from tests.sandbox.ecs.task_room import ACCOUNT, REGISTRY, Room
from tests.sandbox.ecs.test_services import PORTS

KEY = "release.zip"
TEMPLATE = {
    "family": "piped",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
    "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
    "containerDefinitions": [{"name": "app", "image": "<IMAGE1_NAME>", "portMappings": PORTS}],
}
SPEC = spec("<TASK_DEFINITION>")


@pytest.fixture(scope="module")
def piped(room: Room) -> Deployed:
    """A service, its deployment group without a wait, and a pipeline that deploys the service."""
    s3 = room.client("s3")
    for bucket in (SOURCE, STORE):
        where = {"LocationConstraint": "us-west-2"}
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    rights = allow("s3:*", "ecs:RegisterTaskDefinition", "codedeploy:*", "iam:PassRole")
    room.role("pipeline", rights, trust=TRUST)
    made = Deployed(room, "piped")
    ending = {"action": "TERMINATE", "terminationWaitTimeInMinutes": 0}
    made.api.create_deployment_group(
        **made.group(
            blueGreenDeploymentConfiguration={
                **BLUE_GREEN,
                "terminateBlueInstancesOnDeploymentSuccess": ending,
            }
        )
    )
    made.settled()
    put(room, {"taskdef.json": TEMPLATE, "imageDetail.json": {"ImageURI": f"{REGISTRY}/web:two"}})
    configuration = {
        "ApplicationName": "piped",
        "DeploymentGroupName": "piped",
        "TaskDefinitionTemplateArtifact": "Source",
        "AppSpecTemplateArtifact": "Source",
        "Image1ArtifactName": "Source",
        "Image1ContainerName": "IMAGE1_NAME",
    }
    stages = [
        s3_source(KEY, PollForSourceChanges="false"),
        action("Deploy", "CodeDeployToECS", configuration, inputs=["Source"]),
    ]
    room.client("codepipeline").create_pipeline(
        pipeline={
            "name": "blue-green",
            "roleArn": ROLE,
            "artifactStore": {"type": "S3", "location": STORE},
            "stages": [{"name": each["name"], "actions": [each]} for each in stages],
        }
    )
    return made


def put(room: Room, files: Mapping[str, Any]) -> None:
    """A new version of the source."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("appspec.yaml", SPEC)
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    room.client("s3").put_object(Bucket=SOURCE, Key=KEY, Body=packed.getvalue())


def deployed(room: Room, execution: str = "") -> dict[str, Any]:
    """The last action of the newest execution, or of a named one, once it has ended."""

    def look() -> dict[str, Any]:
        listed = room.client("codepipeline").list_action_executions(pipelineName="blue-green")
        found = [
            each
            for each in listed["actionExecutionDetails"]
            if each["stageName"] == "Deploy" and execution in ("", each["pipelineExecutionId"])
        ]
        return dict(found[0]) if found else {"status": "InProgress"}

    return room.once(look, lambda found: found["status"] != "InProgress")


def test_a_pipeline_fills_the_templates_in_and_codedeploy_moves_the_visitors(
    room: Room, piped: Deployed
) -> None:
    done = deployed(room)
    assert done["status"] == "Succeeded"
    number = done["output"]["executionResult"]["externalExecutionId"]
    assert piped.deployment(number)["status"] == "Succeeded"
    assert piped.front.visit(4) == {"two": 4}
    assert list(piped.sets().values()) == ["PRIMARY"]


def test_what_codedeploy_refuses_fails_the_action_with_its_words(
    room: Room, piped: Deployed
) -> None:
    pipeline = room.client("codepipeline")
    put(room, {"taskdef.json": TEMPLATE})
    run = pipeline.start_pipeline_execution(name="blue-green")["pipelineExecutionId"]
    failed = deployed(room, run)["output"]["executionResult"]["errorDetails"]
    assert failed["message"] == (
        "Exception while trying to read the image artifact file from the artifact: Source."
    )
    ports = [{"containerPort": 9090}]
    other = [{**TEMPLATE["containerDefinitions"][0], "portMappings": ports}]  # type: ignore[index]
    put(
        room,
        {
            "taskdef.json": {**TEMPLATE, "containerDefinitions": other},
            "imageDetail.json": {"ImageURI": f"{REGISTRY}/web:one"},
        },
    )
    run = pipeline.start_pipeline_execution(name="blue-green")["pipelineExecutionId"]
    failed = deployed(room, run)["output"]["executionResult"]["errorDetails"]
    assert failed["code"] == "JobFailed"
    assert "failed. Error code: ECS_UPDATE_ERROR; Error message: " in failed["message"]
    assert "The container app did not have a container port 8080 defined." in failed["message"]
    assert piped.front.visit(4) == {"two": 4}


def test_a_revision_in_s3_is_read_with_the_service_role(room: Room, piped: Deployed) -> None:
    one = piped.define("one")
    room.client("s3").put_object(Bucket=SOURCE, Key="appspec.json", Body=spec(one).encode())
    place = {"bucket": SOURCE, "key": "appspec.json", "bundleType": "JSON"}
    number = piped.deploy(one, revision={"revisionType": "S3", "s3Location": place})
    piped.ended(number)
    assert piped.front.visit(4) == {"one": 4}
    absent = {"revisionType": "S3", "s3Location": {**place, "key": "absent"}}
    failed = piped.ended(piped.deploy(one, revision=absent), "Failed")
    assert failed["errorInformation"]["code"] == "REVISION_MISSING"
    assert "NoSuchKey" in failed["errorInformation"]["message"]


@pytest.mark.soak
def test_the_command_aws_ecs_deploy_registers_deploys_and_waits(
    room: Room, piped: Deployed, aws: Aws, tmp_path: Path
) -> None:
    """https://docs.aws.amazon.com/cli/latest/reference/ecs/deploy/index.html"""
    image = {**TEMPLATE["containerDefinitions"][0], "image": f"{REGISTRY}/web:two"}  # type: ignore[index]
    definition, appspec = tmp_path / "taskdef.json", tmp_path / "appspec.yaml"
    definition.write_text(json.dumps({**TEMPLATE, "containerDefinitions": [image]}))
    appspec.write_text(SPEC)
    said = aws(
        *("ecs", "deploy", "--service", "piped", "--cluster", "default"),
        *("--task-definition", str(definition), "--codedeploy-appspec", str(appspec)),
        *("--codedeploy-application", "piped", "--codedeploy-deployment-group", "piped"),
    )
    assert "Successfully deployed" in said
    assert piped.front.visit(4) == {"two": 4}
