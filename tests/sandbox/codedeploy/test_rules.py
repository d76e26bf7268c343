"""What CodeDeploy takes and refuses: a table of what AWS publishes and of what users quote."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codedeploy import configs
from labs_helpers.sandbox.codedeploy.service import CodeDeployService
from labs_helpers.sandbox.iam.service_roles import RoleRefused
from labs_helpers.sandbox.service.events import nobody
from tests.sandbox.codedeploy.deploy_room import BLUE_GREEN, STYLE, spec
from tests.sandbox.service.test_worked_example import Client, PermissionLog

ROLE = "arn:aws:iam::123456789012:role/deploys"
LISTENER = "arn:aws:elasticloadbalancing:us-west-2:123456789012:listener/app/web/1/prod"
TEST = "arn:aws:elasticloadbalancing:us-west-2:123456789012:listener/app/web/1/test"
PAIR: dict[str, Any] = {
    "targetGroups": [{"name": "blue"}, {"name": "green"}],
    "prodTrafficRoute": {"listenerArns": [LISTENER]},
    "testTrafficRoute": {"listenerArns": [TEST]},
}
GROUP: dict[str, Any] = {
    "applicationName": "shop",
    "deploymentGroupName": "web",
    "serviceRoleArn": ROLE,
    "deploymentStyle": STYLE,
    "blueGreenDeploymentConfiguration": BLUE_GREEN,
    "loadBalancerInfo": {"targetGroupPairInfoList": [PAIR]},
    "ecsServices": [{"serviceName": "web", "clusterName": "main"}],
}


class Around:
    """A cluster "main" whose service "web" CodeDeploy deploys; "own" is deployed by ECS."""

    def controller(self, place: tuple[str, str], cluster: str, service: str) -> str:
        known = {("main", "web"): "CODE_DEPLOY", ("main", "own"): "ECS"}
        return known.get((cluster, service), "")

    def group(self, place: tuple[str, str], name: str) -> str:
        return f"arn:{name}" if name in ("blue", "green") else ""

    def listener(self, arn: str) -> str:
        return "HTTP" if arn in (LISTENER, TEST) else ""


class Roles:
    """CodeDeploy may take one role."""

    def check(self, role: str, *more: Any) -> None:
        if role != ROLE:
            raise RoleRefused("AWS CodeDeploy", role)


@pytest.fixture
def permissions() -> PermissionLog:
    return PermissionLog()


@pytest.fixture
def client(tmp_path: Path, permissions: PermissionLog) -> Client:
    """CodeDeploy with an application; no deployment goes on, as no driver runs."""
    clock = Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
    roles: Any = Roles()
    made = Client(CodeDeployService(tmp_path, clock, permissions, roles, nobody, Around()))
    made.boto3.create_application(applicationName="shop", computePlatform="ECS")
    return made


def changed(**members: Any) -> dict[str, Any]:
    """A group with other members; None takes one out."""
    found = {**copy.deepcopy(GROUP), **members}
    return {name: value for name, value in found.items() if value is not None}


def paired(**members: Any) -> dict[str, Any]:
    return changed(loadBalancerInfo={"targetGroupPairInfoList": [{**PAIR, **members}]})


# (what, the parameters, AWS's code without Exception, words)
# Sentences that begin "For ECS deployment", on the role and on the controller are ones users quote.
GROUPS: list[tuple[str, dict[str, Any], str, str]] = [
    ("no load balancer", changed(loadBalancerInfo=None), "InvalidLoadBalancerInfo",
     "For ECS deployment group, loadBalancerInfo must be specified"),
    ("no blue/green", changed(blueGreenDeploymentConfiguration=None),
     "InvalidBlueGreenDeploymentConfiguration",
     "For ECS deployment group, blueGreenDeploymentConfiguration must be specified"),
    ("in place", changed(deploymentStyle={**STYLE, "deploymentType": "IN_PLACE"}),
     "InvalidDeploymentStyle",
     "For ECS deployment, the deployment type must be BLUE_GREEN, and deployment option must be "
     "WITH_TRAFFIC_CONTROL."),
    ("Auto Scaling", changed(autoScalingGroups=["a"]), "InvalidAutoScalingGroup",
     "For ECS deployment group, autoScalingGroups can not be specified"),
    ("tags of EC2", changed(ec2TagFilters=[{"Key": "a", "Type": "KEY_ONLY"}]), "InvalidEC2Tag",
     "For ECS deployment group, ec2TagFilters can not be specified"),
    ("ECS deploys", changed(ecsServices=[{"serviceName": "own", "clusterName": "main"}]),
     "InvalidECSService",
     "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller."),
    ("no such service", changed(ecsServices=[{"serviceName": "no", "clusterName": "main"}]),
     "InvalidECSService", "The ECS service no in the cluster main is not there."),
    ("a role", changed(serviceRoleArn="arn:aws:iam::123456789012:role/other"), "InvalidRole",
     "AWS CodeDeploy does not have the permissions required to assume the role "
     "arn:aws:iam::123456789012:role/other."),
    ("one target group", paired(targetGroups=[{"name": "blue"}]), "InvalidTargetGroupPair",
     "A target group pair has two target groups."),
    ("no such target group", paired(targetGroups=[{"name": "blue"}, {"name": "x"}]),
     "InvalidTargetGroupPair", "The target group x does not exist."),
    ("no such listener", paired(prodTrafficRoute={"listenerArns": [LISTENER + "2"]}),
     "InvalidTargetGroupPair", "does not exist."),
    ("one listener twice", paired(testTrafficRoute={"listenerArns": [LISTENER]}),
     "InvalidTargetGroupPair", "are two."),
    ("a wait of three days", changed(blueGreenDeploymentConfiguration={
        "terminateBlueInstancesOnDeploymentSuccess": {"terminationWaitTimeInMinutes": 4320}}),
     "InvalidBlueGreenDeploymentConfiguration", "A wait takes from 0 to 2880 minutes."),
    ("a configuration for servers", changed(deploymentConfigName="CodeDeployDefault.OneAtATime"),
     "DeploymentConfigDoesNotExist",
     "No deployment configuration found for name: CodeDeployDefault.OneAtATime"),
    ("alarms without names", changed(alarmConfiguration={"enabled": True}), "InvalidAlarmConfig",
     "Alarms that are enabled have names."),
    ("eleven alarms", changed(alarmConfiguration={
        "enabled": True, "alarms": [{"name": str(n)} for n in range(11)]}), "AlarmsLimitExceeded",
     "at most 10"),
    ("a rollback without events", changed(autoRollbackConfiguration={"enabled": True}),
     "InvalidAutoRollbackConfig", "DEPLOYMENT_STOP_ON_ALARM"),
    ("no such application", changed(applicationName="other"), "ApplicationDoesNotExist",
     "No application found for name: other"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "code", "words"), [row[1:] for row in GROUPS], ids=[row[0] for row in GROUPS]
)
def test_a_group_that_cannot_be_is_refused(
    client: Client, params: dict[str, Any], code: str, words: str
) -> None:
    error = client.error("create_deployment_group", **params)
    assert error["Code"] == f"{code}Exception"
    assert words in error["Message"]


def content(text: str) -> dict[str, Any]:
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": text}}


def deployment(**members: Any) -> dict[str, Any]:
    named = {"applicationName": "shop", "deploymentGroupName": "web"}
    found = {**named, "revision": content(spec("web:1")), **members}
    return {name: value for name, value in found.items() if value is not None}


S3 = {"bucket": "b", "key": "k", "bundleType": "zip"}
# https://github.com/aws/aws-cli/issues/4256 (RevisionRequired),
# https://github.com/awslabs/aws-codedeploy-plugin/issues/89 (BundleType)
DEPLOYMENTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("no revision", deployment(revision=None), "RevisionRequiredException",
     "RevisionLocation must be specified"),
    ("a zip", deployment(revision={"revisionType": "S3", "s3Location": S3}),
     "InvalidRevisionException", "BundleType must be either YAML or JSON"),
    ("no such group", deployment(deploymentGroupName="x"), "DeploymentGroupDoesNotExistException",
     "No Deployment Group found for name: x"),
    ("another SHA-256", deployment(revision={"revisionType": "AppSpecContent", "appSpecContent": {
        "content": spec("web:1"), "sha256": "0" * 64}}), "InvalidRevisionException", "SHA-256"),
    ("GitHub", deployment(revision={"revisionType": "GitHub", "gitHubLocation": {
        "repository": "a/b", "commitId": "c"}}), "NotInSandbox", "revisions on GitHub"),
    ("a hook", deployment(revision=content(spec("web:1", Hooks=[{"BeforeInstall": "check"}]))),
     "NotInSandbox", "hooks of an AppSpec file, which are AWS Lambda functions"),
    ("a configuration", deployment(deploymentConfigName="mine"),
     "DeploymentConfigDoesNotExistException", "No deployment configuration found for name: mine"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [row[1:] for row in DEPLOYMENTS],
    ids=[row[0] for row in DEPLOYMENTS],
)
def test_a_deployment_that_cannot_be_is_refused(
    client: Client, params: dict[str, Any], code: str, words: str
) -> None:
    client.boto3.create_deployment_group(**GROUP)
    error = client.error("create_deployment", **params)
    assert error["Code"] == code
    assert words in error["Message"]


def test_what_is_not_ecs_is_refused_in_words(client: Client) -> None:
    for platform, words in (("Server", "no agent of CodeDeploy runs"), ("Lambda", "no AWS Lambda")):
        error = client.error(
            "create_application", applicationName="other", computePlatform=platform
        )
        assert error["Code"] == "NotInSandbox"
        assert words in error["Message"]
    assert client.error("list_on_premises_instances")["Code"] == "NotInSandbox"
    hook = client.error("put_lifecycle_event_hook_execution_status", deploymentId="d-123456789")
    assert "Hooks are AWS Lambda functions" in hook["Message"]


def test_a_deployment_needs_the_rights_to_configuration_and_revision(
    client: Client, permissions: PermissionLog
) -> None:
    client.boto3.create_deployment_group(**GROUP)
    number = client.boto3.create_deployment(**deployment())["deploymentId"]
    arn = "arn:aws:codedeploy:us-west-2:123456789012"
    assert permissions == [
        ("codedeploy:GetDeploymentConfig", f"{arn}:deploymentconfig:{configs.USUAL}"),
        ("codedeploy:RegisterApplicationRevision", f"{arn}:application:shop"),
    ]
    found = client.boto3.get_deployment(deploymentId=number)["deploymentInfo"]
    assert (found["status"], found["computePlatform"]) == ("Created", "ECS")
    assert len(found["revision"]["appSpecContent"]["sha256"]) == 64
    group = client.boto3.get_deployment_group(applicationName="shop", deploymentGroupName="web")
    assert group["deploymentGroupInfo"]["lastAttemptedDeployment"]["deploymentId"] == number


@pytest.mark.parametrize(
    ("traffic", "moves"),
    [
        ("CodeDeployDefault.ECSAllAtOnce", ([100.0], 0)),
        ("CodeDeployDefault.ECSCanary10Percent15Minutes", ([10.0, 100.0], 15)),
        ("CodeDeployDefault.ECSCanary10Percent5Minutes", ([10.0, 100.0], 5)),
        (
            "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
            ([float(tenth) for tenth in range(10, 101, 10)], 1),
        ),
    ],
)
def test_awss_configurations_move_the_traffic_as_their_names_say(
    traffic: str, moves: tuple[list[float], int]
) -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html"""
    assert configs.steps(configs.PREDEFINED[traffic]) == moves


def test_a_configuration_of_ones_own(client: Client) -> None:
    every = {"linearPercentage": 30, "linearInterval": 2}
    own = {"type": "TimeBasedLinear", "timeBasedLinear": every}
    client.boto3.create_deployment_config(
        deploymentConfigName="mine", computePlatform="ECS", trafficRoutingConfig=own
    )
    found = client.boto3.get_deployment_config(deploymentConfigName="mine")["deploymentConfigInfo"]
    assert configs.steps(found["trafficRoutingConfig"]) == ([30.0, 60.0, 90.0, 100.0], 2)
    client.boto3.create_deployment_group(**{**GROUP, "deploymentConfigName": "mine"})
    in_use = client.error("delete_deployment_config", deploymentConfigName="mine")
    assert in_use["Code"] == "DeploymentConfigInUseException"
    assert len(client.boto3.list_deployment_configs()["deploymentConfigsList"]) == 6
    for wrong in ({"linearPercentage": 0, "linearInterval": 2}, {"linearPercentage": 5}):
        error = client.error(
            "create_deployment_config",
            deploymentConfigName="wrong",
            computePlatform="ECS",
            trafficRoutingConfig={"type": "TimeBasedLinear", "timeBasedLinear": wrong},
        )
        assert error["Code"] == "InvalidTrafficRoutingConfigurationException"


def test_deployments_are_listed_by_status_and_by_time(client: Client) -> None:
    client.boto3.create_deployment_group(**GROUP)
    number = client.boto3.create_deployment(**deployment())["deploymentId"]
    named = {"applicationName": "shop", "deploymentGroupName": "web"}
    pages = client.boto3.get_paginator("list_deployments")
    now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    rows: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [number]),
        ({"includeOnlyStatuses": ["Created"]}, [number]),
        ({"includeOnlyStatuses": ["Succeeded"]}, []),
        ({"createTimeRange": {"start": now, "end": now}}, [number]),
        ({"createTimeRange": {"end": now - timedelta(minutes=1)}}, []),
    ]
    for wanted, found in rows:
        listed = pages.paginate(**named, **wanted).build_full_result()
        assert listed["deployments"] == found
    assert client.error("list_deployments", deploymentGroupName="web")["Code"] == (
        "ApplicationNameRequiredException"
    )
    stopped = client.boto3.stop_deployment(deploymentId=number)
    assert stopped["status"] == "Succeeded"
    again = client.boto3.create_deployment(**deployment())["deploymentId"]
    found = client.boto3.batch_get_deployments(deploymentIds=[number, again])["deploymentsInfo"]
    assert [each["status"] for each in found] == ["Stopped", "Created"]


def test_a_renamed_application_keeps_its_groups_and_tags(client: Client) -> None:
    client.boto3.create_deployment_group(**GROUP)
    client.boto3.update_application(applicationName="shop", newApplicationName="store")
    listed = client.boto3.list_deployment_groups(applicationName="store")["deploymentGroups"]
    assert listed == ["web"]
    assert client.error("get_application", applicationName="shop")["Message"] == (
        "No application found for name: shop"
    )
    arn = "arn:aws:codedeploy:us-west-2:123456789012:deploymentgroup:store/web"
    client.boto3.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
    assert len(client.boto3.list_tags_for_resource(ResourceArn=arn)["Tags"]) == 1
    client.boto3.delete_application(applicationName="store")
    assert client.boto3.list_applications()["applications"] == []
