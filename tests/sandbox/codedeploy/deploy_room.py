"""A service of ECS that CodeDeploy deploys, behind a load balancer with two listeners."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labs_helpers.control_client import Control
from tests.policies import allow, policy
from tests.sandbox.ecs.front import Front
from tests.sandbox.ecs.task_room import ACCOUNT, REGION, REGISTRY, Room
from tests.sandbox.ecs.test_services import PORTS, create, delete

ROLE = "deploys"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
TRUST = policy(
    {
        "Effect": "Allow",
        "Principal": {"Service": "codedeploy.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
)
SERVICE_ROLE = allow(
    "ecs:DescribeServices",
    "ecs:CreateTaskSet",
    "ecs:UpdateServicePrimaryTaskSet",
    "ecs:DeleteTaskSet",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:ModifyRule",
    "lambda:InvokeFunction",
    "cloudwatch:DescribeAlarms",
    "sns:Publish",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "iam:PassRole",
)
"""The rights of AWSCodeDeployRoleForECS:
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForECS.html"""
BLUE_GREEN = {
    "terminateBlueInstancesOnDeploymentSuccess": {
        "action": "TERMINATE",
        "terminationWaitTimeInMinutes": 5,
    },
    "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0},
}
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}


def spec(definition: str, **changed: Any) -> str:
    """An AppSpec file for the container "app"."""
    properties = {
        "TaskDefinition": definition,
        "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080},
    }
    resource = {"Type": "AWS::ECS::Service", "Properties": properties}
    return json.dumps({"version": 0.0, "Resources": [{"TargetService": resource}], **changed})


@dataclass
class Deployed:
    """A service and its application and group of CodeDeploy, all of one name."""

    room: Room
    name: str

    def __post_init__(self) -> None:
        self.front = Front(self.room, self.name)
        self.test = self.front.listen(8081, self.front.blue)
        self.one = self.define("one")
        create(
            self.room,
            self.name,
            self.one,
            loadBalancers=self.front.balancers(),
            deploymentController={"type": "CODE_DEPLOY"},
        )
        self.api.create_application(applicationName=self.name, computePlatform="ECS")

    def define(self, tag: str) -> str:
        """The ARN of a task definition whose page is the tag."""
        made = self.room.define(self.name, f"{REGISTRY}/web:{tag}", portMappings=PORTS)
        return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{made}"

    @property
    def api(self) -> Any:
        return self.room.client("codedeploy")

    def group(self, **changed: Any) -> dict[str, Any]:
        """The parameters of CreateDeploymentGroup."""
        pair = {
            "targetGroups": [{"name": f"{self.name}-blue"}, {"name": f"{self.name}-green"}],
            "prodTrafficRoute": {"listenerArns": [self.front.listener]},
            "testTrafficRoute": {"listenerArns": [self.test]},
        }
        return {
            "applicationName": self.name,
            "deploymentGroupName": self.name,
            "serviceRoleArn": ROLE_ARN,
            "deploymentStyle": STYLE,
            "blueGreenDeploymentConfiguration": BLUE_GREEN,
            "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
            "ecsServices": [{"serviceName": self.name, "clusterName": "default"}],
            **changed,
        }

    def settled(self) -> None:
        """Wait until the first task serves."""
        self.front.once_met("one")

    def deploy(self, definition: str, **changed: Any) -> str:
        """The ID of a new deployment."""
        revision = {
            "revisionType": "AppSpecContent",
            "appSpecContent": {"content": spec(definition)},
        }
        made = self.api.create_deployment(
            **{
                "applicationName": self.name,
                "deploymentGroupName": self.name,
                "revision": revision,
                **changed,
            }
        )
        return str(made["deploymentId"])

    def revision(self, definition: str, content: str = "") -> dict[str, Any]:
        given = {"content": content or spec(definition)}
        return {"revisionType": "AppSpecContent", "appSpecContent": given}

    def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        """Code and message of a refusal, which there must be."""
        with pytest.raises(ClientError) as raised:
            getattr(self.api, operation)(**params)
        error = raised.value.response["Error"]
        return error["Code"], error["Message"]

    def deployment(self, number: str) -> dict[str, Any]:
        return dict(self.api.get_deployment(deploymentId=number)["deploymentInfo"])

    def target(self, number: str) -> dict[str, Any]:
        found = self.api.get_deployment_target(deploymentId=number, targetId=f"default:{self.name}")
        return dict(found["deploymentTarget"]["ecsTarget"])

    def events(self, number: str) -> dict[str, str]:
        """Lifecycle event -> status."""
        listed = self.target(number)["lifecycleEvents"]
        return {each["lifecycleEventName"]: each["status"] for each in listed}

    def ended(self, number: str, status: str = "Succeeded") -> dict[str, Any]:
        return self.room.once(
            lambda: self.deployment(number), lambda found: found["status"] == status
        )

    def shifted(self, number: str, weight: float) -> None:
        """Wait until the replacement has a percentage of the traffic."""
        self.room.once(
            lambda: self.target(number),
            lambda found: (
                [
                    each["trafficWeight"]
                    for each in found["taskSetsInfo"]
                    if each["taskSetLabel"] == "Green"
                ]
                == [weight]
            ),
        )

    def sets(self) -> dict[str, str]:
        """Task definition -> status of each task set that does not end."""
        found = self.room.service(self.name)["taskSets"]
        return {
            each["taskDefinition"]: each["status"] for each in found if each["status"] != "DRAINING"
        }

    def wait(self, **by: float) -> None:
        """Move the sandbox clock."""
        control = Control(self.room.workspace)
        control.ask("POST", "clock", {"advance_seconds": timedelta(**by).total_seconds()})

    def on_test(self) -> str:
        """The address of the test listener."""
        listed = Control(self.room.workspace).ask("GET", "balancing")["balancers"]
        own = next(each for each in listed if each["arn"] == self.front.arn)
        return str(next(each["address"] for each in own["listeners"] if each["port"] == 8081))

    def delete(self) -> None:
        delete(self.room, self.name)


@dataclass
class Aws:
    """The aws command, against the sandbox."""

    room: Room
    programs: Path

    def __call__(self, *words: str) -> str:
        """What it prints; an error raises CalledProcessError with its words."""
        learner = json.loads((self.room.workspace.sandbox / "learner.json").read_text())
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": learner["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": learner["secret_access_key"],
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.room.port}",
        }
        done = subprocess.run(
            [str(self.programs / "aws"), *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
