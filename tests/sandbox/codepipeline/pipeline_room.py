"""A sandbox with its runner, a role for pipelines and builds, and what the tests ask of them."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.policies import allow, policy
from tests.sandbox import sandbox_process
from tests.sandbox.codebuild import build_room
from tests.sandbox.codebuild.build_room import LINUX, LOGS, Room, packed

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline"
TRUST = policy(
    {
        "Effect": "Allow",
        "Principal": {"Service": "codepipeline.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
)
SOURCE, STORE, SITE = "the-source", "the-store", "the-site"
KEY = "app.zip"
SPEC = json.dumps(
    {
        "version": 0.2,
        "env": {"exported-variables": ["NUMBER"]},
        "phases": {"build": {"commands": ["NUMBER=7", "./build.sh"]}},
        "artifacts": {"files": ["index.html"]},
    }
)
BUILD = 'echo building; echo "<h1>$(cat words)</h1>" > index.html'
PATIENCE = 120.0
"""Seconds after which what does not happen fails its test; no test takes them."""

Action = dict[str, Any]


def action(
    category: str,
    provider: str,
    configuration: Mapping[str, str] | None = None,
    name: str = "",
    **more: Any,
) -> Action:
    """An action of AWS's; inputs and outputs: names of artifacts."""
    inputs, outputs = more.pop("inputs", []), more.pop("outputs", [])
    return {
        "name": name or category,
        "actionTypeId": {
            "category": category,
            "owner": "AWS",
            "provider": provider,
            "version": "1",
        },
        "configuration": dict(configuration or {}),
        "inputArtifacts": [{"name": each} for each in inputs],
        "outputArtifacts": [{"name": each} for each in outputs],
        **more,
    }


def s3_source(key: str = KEY, **configuration: str) -> Action:
    given = {"S3Bucket": SOURCE, "S3ObjectKey": key, **configuration}
    return action("Source", "S3", given, outputs=["Source"], namespace="SourceVariables")


def approval(**configuration: str) -> Action:
    return action("Approval", "Manual", configuration)


def s3_deploy(artifact: str = "Source", **configuration: str) -> Action:
    given = {"BucketName": SITE, "Extract": "true", **configuration}
    return action("Deploy", "S3", given, inputs=[artifact])


def codebuild(project: str = "app") -> Action:
    given = {"ProjectName": project}
    return action(
        "Build", "CodeBuild", given, inputs=["Source"], outputs=["Built"], namespace="Built"
    )


def definition(name: str, *stages: Action | list[Action], **more: Any) -> dict[str, Any]:
    """A pipeline of stages named after their first action."""
    listed = [each if isinstance(each, list) else [each] for each in stages]
    return {
        "name": name,
        "roleArn": ROLE,
        "artifactStore": {"type": "S3", "location": STORE},
        "stages": [{"name": each[0]["name"], "actions": each} for each in listed],
        **more,
    }


@dataclass
class PipelineRoom:
    """builds: the room of CodeBuild, with the sandbox and the runner."""

    builds: Room

    def client(self, service: str, **changed: Any) -> Any:
        return self.builds.client(service, **changed)

    @property
    def api(self) -> Any:
        return self.client("codepipeline")

    def be_learner(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let a lab's calls in this process go to the sandbox, with the learner's key."""
        learner = self.builds.sandbox.learner
        for name, value in {
            "AWS_ENDPOINT_URL": self.builds.sandbox.url,
            "AWS_REGION": "us-west-2",
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": learner["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": learner["secret_access_key"],
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    def put(self, files: Mapping[str, str], key: str = KEY) -> str:
        """A new version of the source; returns its id."""
        found = self.client("s3").put_object(Bucket=SOURCE, Key=key, Body=packed(files))
        return str(found["VersionId"])

    def create(self, made: Mapping[str, Any], **more: Any) -> str:
        """The id of the first execution of a new pipeline."""
        self.api.create_pipeline(pipeline=made, **more)
        return self.newest(made["name"])

    def newest(self, name: str) -> str:
        found = self.api.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
        return str(found[0]["pipelineExecutionId"])

    def start(self, name: str, **more: Any) -> str:
        return str(self.api.start_pipeline_execution(name=name, **more)["pipelineExecutionId"])

    def execution(self, name: str, execution: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get_pipeline_execution(
            pipelineName=name, pipelineExecutionId=execution
        )["pipelineExecution"]
        return found

    def ended(self, name: str, execution: str) -> str:
        """The status of an execution, once it has ended."""
        self.wait(
            lambda: self.execution(name, execution)["status"] not in ("InProgress", "Stopping")
        )
        return str(self.execution(name, execution)["status"])

    def actions(self, name: str, execution: str) -> dict[str, dict[str, Any]]:
        """By action, its newest attempt in an execution."""
        found = self.api.list_action_executions(
            pipelineName=name, filter={"pipelineExecutionId": execution}
        )["actionExecutionDetails"]
        return {each["actionName"]: each for each in reversed(found)}

    def error(self, name: str, execution: str, action: str) -> tuple[str, str]:
        """(code, message) of an action that failed."""
        made = self.actions(name, execution)[action]
        assert made["status"] == "Failed"
        details = made["output"]["executionResult"]["errorDetails"]
        return details["code"], details["message"]

    def stages(self, name: str) -> dict[str, dict[str, Any]]:
        found = self.api.get_pipeline_state(name=name)["stageStates"]
        return {each["stageName"]: each for each in found}

    def token(self, name: str, stage: str = "Approval") -> str:
        """The token of an approval, once it waits."""

        def latest() -> dict[str, Any]:
            state = self.stages(name)[stage]["actionStates"][0]
            return dict(state.get("latestExecution", {}))

        self.wait(lambda: "token" in latest())
        return str(latest()["token"])

    def answer(self, name: str, status: str, summary: str = "") -> None:
        """Approve or reject what waits."""
        self.api.put_approval_result(
            pipelineName=name,
            stageName="Approval",
            actionName="Approval",
            token=self.token(name),
            result={"status": status, "summary": summary},
        )

    def site(self, key: str = "index.html") -> str:
        found = self.client("s3").get_object(Bucket=SITE, Key=key)["Body"].read()
        return str(found.decode())

    def alarm(self, name: str) -> None:
        """Put an alarm on a metric that nobody reports."""
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            MetricName="Seconds",
            Namespace="page",
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )

    def wait(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, self.builds.sandbox.log[-3000:]
            time.sleep(0.05)


def begin(folder: Path, runner: bool = True) -> PipelineRoom:
    """A sandbox with three buckets, the role of ROLE, and with a runner the project "app"."""
    builds = build_room.begin(folder) if runner else Room(sandbox_process.start(folder))
    room = PipelineRoom(builds)
    s3 = room.client("s3")
    for bucket in (SOURCE, STORE, SITE):
        where = {"LocationConstraint": "us-west-2"}
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    rights = allow("s3:*", "codebuild:*", "sns:Publish", "ecr:DescribeImages")
    builds.role("pipeline", rights, trust=TRUST)
    if runner:
        room.client("iam").put_role_policy(
            RoleName="builder",
            PolicyName="rights",
            PolicyDocument=policy(dict(LOGS), dict(allow("s3:GetObject*", "s3:PutObject"))),
        )
        room.client("codebuild").create_project(
            name="app",
            source={"type": "CODEPIPELINE", "buildspec": SPEC},
            artifacts={"type": "CODEPIPELINE"},
            environment=LINUX,
            serviceRole=build_room.ROLE,
        )
    return room


def unpacked(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}
