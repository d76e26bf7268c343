"""Targets that an event starts by the role of the target, on a running sandbox."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests import policies
from tests.sandbox.events.event_rules import policy, until
from tests.sandbox.sandbox_process import Running

ACCOUNT = "123456789012"


class Starts:
    """A rule for events of "mine" with one target, its role, and a queue of dead letters."""

    def __init__(self, sandbox: Running, name: str) -> None:
        self.sandbox, self.name = sandbox, name
        self.events, self.sqs = sandbox.client("events"), sandbox.client("sqs")
        arn = f"arn:aws:sqs:us-west-2:{ACCOUNT}:{name}-dead"
        self.dead = arn
        self.url = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy(arn)})

    def role(self, service: str, action: str) -> str:
        """A role that a service may take and that may do one thing."""
        iam, name = self.sandbox.client("iam"), f"{self.name}-{service}"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policies.policy(trust))
        document = policies.policy(policies.allow(action, on="*"))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
        return str(made["Role"]["Arn"])

    def put(self, target: dict[str, Any]) -> None:
        """The rule with its target, and one event."""
        pattern = json.dumps({"source": [self.name]})
        self.events.put_rule(Name=self.name, EventPattern=pattern)
        whole = {"Id": "1", "DeadLetterConfig": {"Arn": self.dead}, **target}
        self.events.put_targets(Rule=self.name, Targets=[whole])
        entry = {"Source": self.name, "DetailType": "d", "Detail": '{"tag": "v1"}'}
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def letter(self) -> dict[str, str]:
        """The attributes of the first dead letter."""
        asked = {"MessageAttributeNames": ["All"], "WaitTimeSeconds": 20}
        (message,) = self.sqs.receive_message(QueueUrl=self.url, **asked)["Messages"]
        assert json.loads(message["Body"])["detail"] == {"tag": "v1"}
        return {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}


@pytest.fixture
def starts(sandbox: Running) -> Starts:
    return Starts(sandbox, f"starts-{uuid.uuid4().hex[:8]}")


def project(starts: Starts) -> str:
    """A project of CodeBuild; its ARN."""
    made = starts.sandbox.client("codebuild").create_project(
        name=starts.name,
        serviceRole=starts.role("codebuild", "logs:*"),
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
    )
    return str(made["project"]["arn"])


def test_a_build_is_started_with_what_the_template_overrides(starts: Starts) -> None:
    codebuild = starts.sandbox.client("codebuild")
    variable = '{"name": "TAG", "value": "<tag>", "type": "PLAINTEXT"}'
    starts.put(
        {
            "Arn": project(starts),
            "RoleArn": starts.role("events", "codebuild:StartBuild"),
            "InputTransformer": {
                "InputPathsMap": {"tag": "$.detail.tag"},
                "InputTemplate": f'{{"environmentVariablesOverride": [{variable}]}}',
            },
        }
    )
    until(lambda: bool(codebuild.list_builds_for_project(projectName=starts.name)["ids"]))
    ids = codebuild.list_builds_for_project(projectName=starts.name)["ids"]
    (build,) = codebuild.batch_get_builds(ids=ids)["builds"]
    assert {"name": "TAG", "value": "v1", "type": "PLAINTEXT"} in build["environment"][
        "environmentVariables"
    ]
    assert starts.name in build["initiator"]


def test_a_role_that_may_not_start_a_build_leaves_a_dead_letter(starts: Starts) -> None:
    arn = project(starts)
    starts.put({"Arn": arn, "RoleArn": starts.role("events", "codebuild:StopBuild")})
    letter = starts.letter()
    assert (letter["ERROR_CODE"], letter["TARGET_ARN"]) == ("NO_PERMISSIONS", arn)
    assert "is not authorized to perform: codebuild:StartBuild" in letter["ERROR_MESSAGE"]


def test_a_role_that_eventbridge_may_not_take_leaves_a_dead_letter(starts: Starts) -> None:
    starts.put({"Arn": project(starts), "RoleArn": starts.role("ecs", "codebuild:StartBuild")})
    letter = starts.letter()
    assert letter["ERROR_CODE"] == "FAILED_TO_ASSUME_ROLE"
    assert "is not authorized to perform: sts:AssumeRole on" in letter["ERROR_MESSAGE"]


def test_a_project_that_is_not_there_leaves_a_dead_letter(starts: Starts) -> None:
    arn = f"arn:aws:codebuild:us-west-2:{ACCOUNT}:project/absent"
    starts.put({"Arn": arn, "RoleArn": starts.role("events", "codebuild:StartBuild")})
    letter = starts.letter()
    assert letter["ERROR_CODE"] == "NO_RESOURCE"
    assert letter["ERROR_MESSAGE"] == f"Project cannot be found: {arn}"


@pytest.mark.parametrize(
    ("service", "resource", "action", "more"),
    [
        ("codepipeline", "absent", "codepipeline:StartPipelineExecution", {}),
        ("ecs", "cluster/absent", "ecs:RunTask",
         {"EcsParameters": {"TaskDefinitionArn":
          f"arn:aws:ecs:us-west-2:{ACCOUNT}:task-definition/absent"}}),
    ],
)  # fmt: skip
def test_what_cannot_be_started_leaves_a_dead_letter(
    starts: Starts, service: str, resource: str, action: str, more: dict[str, Any]
) -> None:
    arn = f"arn:aws:{service}:us-west-2:{ACCOUNT}:{resource}"
    starts.put({"Arn": arn, "RoleArn": starts.role("events", action), **more})
    letter = starts.letter()
    assert letter["TARGET_ARN"] == arn
    assert letter["ERROR_CODE"] in ("NO_RESOURCE", "ERROR_FROM_TARGET")
    assert letter["ERROR_MESSAGE"]
