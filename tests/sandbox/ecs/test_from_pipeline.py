"""A pipeline deploys to a service behind a load balancer, and a broken release changes nothing."""

from __future__ import annotations

import io
import json
import zipfile

import boto3
import pytest

from labs_helpers import deliveries
from tests.policies import allow
from tests.sandbox.codepipeline.pipeline_room import ROLE, SOURCE, STORE, TRUST, action, s3_source
from tests.sandbox.ecs.front import Front
from tests.sandbox.ecs.task_room import REGISTRY, Room
from tests.sandbox.ecs.test_services import BREAKER, PORTS, create, delete

KEY = "release.zip"


@pytest.fixture
def front(room: Room) -> Front:
    room.push_page("two")
    s3 = room.client("s3")
    for bucket in (SOURCE, STORE):
        where = {"LocationConstraint": "us-west-2"}
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    room.role("pipeline", allow("s3:*", "ecs:*", "iam:PassRole"), trust=TRUST)
    return Front(room, "piped")


def put(room: Room, tag: str) -> None:
    """A new version of the source, which names an image."""
    written = [{"name": "app", "imageUri": f"{REGISTRY}/web:{tag}"}]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("imagedefinitions.json", json.dumps(written))
    room.client("s3").put_object(Bucket=SOURCE, Key=KEY, Body=packed.getvalue())


def ended(room: Room, execution: str) -> str:
    """The status of an execution, once it has ended."""

    def look() -> dict[str, str]:
        found = room.client("codepipeline").get_pipeline_execution(
            pipelineName="ship", pipelineExecutionId=execution
        )
        return {"status": found["pipelineExecution"]["status"]}

    return room.once(look, lambda found: found["status"] != "InProgress")["status"]


def test_a_pipeline_ships_what_visitors_meet(
    room: Room, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = room.define("piped", f"{REGISTRY}/web:one", portMappings=PORTS)
    create(
        room,
        "piped",
        service,
        loadBalancers=front.balancers(),
        deploymentConfiguration=BREAKER,
    )
    room.settled("piped")
    put(room, "two")
    pipeline = room.client("codepipeline")
    target = {"ClusterName": "default", "ServiceName": "piped"}
    stages = [
        s3_source(KEY, PollForSourceChanges="false"),
        action("Deploy", "ECS", target, inputs=["Source"]),
    ]
    pipeline.create_pipeline(
        pipeline={
            "name": "ship",
            "roleArn": ROLE,
            "artifactStore": {"type": "S3", "location": STORE},
            "stages": [{"name": each["name"], "actions": [each]} for each in stages],
        }
    )
    listed = pipeline.list_pipeline_executions(pipelineName="ship")
    first = listed["pipelineExecutionSummaries"][0]["pipelineExecutionId"]
    assert ended(room, first) == "Succeeded"
    front.once_met("two")
    assert room.service("piped")["taskDefinition"].endswith("piped:2")

    put(room, "none")
    second = pipeline.start_pipeline_execution(name="ship")["pipelineExecutionId"]
    monkeypatch.setattr(boto3, "client", room.client)  # as the learner in a notebook
    seen: list[str] = []
    deliveries.pipeline("ship", 120, "", lambda drawing: seen.append(drawing.text))
    why = "New tasks of the service piped stop: CannotPullContainerError"
    assert any(f"Deploy: in progress\n\n{why}" in text for text in seen), seen
    assert why not in seen[0]
    assert ended(room, second) == "Failed"
    details = pipeline.list_action_executions(
        pipelineName="ship", filter={"pipelineExecutionId": second}
    )["actionExecutionDetails"]
    deploy = next(each for each in details if each["actionName"] == "Deploy")
    error = deploy["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "JobFailed"
    assert "piped:3 failed" in error["message"]
    assert front.visit(4) == {"two": 4}
    assert room.settled("piped")["taskDefinition"].endswith("piped:2")
    delete(room, "piped")
