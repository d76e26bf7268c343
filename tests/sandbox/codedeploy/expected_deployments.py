"""Rows of deployments, configurations and tags (test_public_expectations.py)."""

from __future__ import annotations

import re
from datetime import datetime

from tests.sandbox.codedeploy.deploy_room import spec
from tests.sandbox.codedeploy.expected_groups import (
    API,
    ARN,
    GROUPED,
    MADE,
    NO_APPLICATION,
    OPERATIONS,
    SHOP,
    SUITE,
    WEB,
)
from tests.sandbox.codedeploy.test_rules import GROUP
from tests.sandbox.public_expectations import AWS, FLOCI, Step, Told, has, refused, row

CLIENT = (
    FLOCI + "compatibility-tests/sdk-test-java/src/test/java/com/floci/test/CodeDeployEcsTest.java"
)

SPEC = {"revisionType": "AppSpecContent", "appSpecContent": {"content": spec("web:1")}}
S3 = {"bucket": "b", "key": "k", "bundleType": "zip", "version": "1", "eTag": "e"}
DEPLOYED: Step = (
    "create_deployment",
    {**WEB, "revision": SPEC, "description": "d"},
    {"deploymentId": re.compile("^d-[A-Z0-9]{9}$")},
)

DEPLOYMENTS = [
    row(
        "a deployment needs a group",
        SUITE,
        MADE,
        ("create_deployment", SHOP, refused("DeploymentGroupNameRequiredException")),
    ),
    row(
        "a deployment is of an application and a group that are there",
        SUITE,
        (
            "create_deployment",
            {**WEB, "applicationName": "nowhere", "revision": SPEC},
            NO_APPLICATION,
        ),
        MADE,
        (
            "create_deployment",
            {**WEB, "revision": SPEC},
            refused("DeploymentGroupDoesNotExistException"),
        ),
    ),
    row(
        "a new deployment is Created, with its revision and description",
        CLIENT,
        MADE,
        GROUPED,
        DEPLOYED,
        (
            "get_deployment",
            {"deploymentId": Told(2, "deploymentId")},
            {
                "deploymentInfo": {
                    **WEB,
                    "deploymentId": Told(2, "deploymentId"),
                    "status": "Created",
                    "computePlatform": "ECS",
                    "description": "d",
                    "revision": SPEC,
                    "createTime": datetime,
                }
            },
        ),
        (
            "batch_get_deployments",
            {"deploymentIds": [Told(2, "deploymentId")]},
            {"deploymentsInfo": [{"deploymentId": Told(2, "deploymentId")}]},
        ),
        ("list_deployments", {}, {"deployments": [Told(2, "deploymentId")]}),
        (
            "list_deployment_targets",
            {"deploymentId": Told(2, "deploymentId")},
            {"targetIds": ["main:web"]},
        ),
    ),
    row(
        "a ZIP file in S3 is no revision for ECS; moto deploys one to servers",
        SUITE,
        MADE,
        GROUPED,
        (
            "create_deployment",
            {**WEB, "revision": {"revisionType": "S3", "s3Location": S3}},
            refused("InvalidRevisionException", "BundleType must be either YAML or JSON"),
        ),
        aws=AWS + "codedeploy/latest/userguide/application-revisions.html",
    ),
    row(
        "a content is held against its SHA-256, which moto does not look at",
        SUITE,
        MADE,
        GROUPED,
        (
            "create_deployment",
            {
                **WEB,
                "revision": {
                    "revisionType": "String",
                    "string": {"content": "test-content", "sha256": "test-sha256"},
                },
            },
            refused("InvalidRevisionException"),
        ),
        aws=API + "RawString.html",
    ),
    row(
        "a revision on GitHub is refused by name",
        SUITE,
        MADE,
        GROUPED,
        (
            "create_deployment",
            {
                **WEB,
                "revision": {
                    "revisionType": "GitHub",
                    "gitHubLocation": {"repository": "a/b", "commitId": "c"},
                },
            },
            refused("NotInSandbox"),
        ),
        aws=API + "RevisionLocation.html",
    ),
    row(
        "an ID of another form is none; moto looks for a deployment",
        SUITE,
        (
            "get_deployment",
            {"deploymentId": "nonexistent-deployment-id"},
            refused("InvalidDeploymentIdException"),
        ),
        (
            "get_deployment",
            {"deploymentId": "d-123456789"},
            refused("DeploymentDoesNotExistException"),
        ),
        aws=API + "GetDeployment.html#API_GetDeployment_Errors",
    ),
    row(
        "deployments are listed of application and group together",
        SUITE,
        ("list_deployments", SHOP, refused("DeploymentGroupNameRequiredException")),
        (
            "list_deployments",
            {"deploymentGroupName": "web"},
            refused("ApplicationNameRequiredException"),
        ),
    ),
    row(
        "AWS's configurations are listed, those for ECS only: the others would deploy nothing here",
        OPERATIONS,
        (
            "list_deployment_configs",
            {},
            {"deploymentConfigsList": has("CodeDeployDefault.ECSAllAtOnce")},
        ),
        (
            "get_deployment_config",
            {"deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce"},
            {
                "deploymentConfigInfo": {
                    "computePlatform": "ECS",
                    "trafficRoutingConfig": {"type": "AllAtOnce"},
                }
            },
        ),
        (
            "get_deployment_config",
            {"deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce"},
            refused("DeploymentConfigDoesNotExistException"),
        ),
        aws=AWS + "codedeploy/latest/userguide/deployment-configurations.html",
    ),
    row(
        "a configuration of one's own has no name of AWS's",
        OPERATIONS,
        (
            "create_deployment_config",
            {"deploymentConfigName": "CodeDeployDefault.MyCustom", "computePlatform": "ECS"},
            refused("InvalidDeploymentConfigNameException"),
        ),
    ),
    row(
        "a configuration for servers is refused by name",
        OPERATIONS,
        (
            "create_deployment_config",
            {
                "deploymentConfigName": "MyCustomConfig",
                "minimumHealthyHosts": {"type": "FLEET_PERCENT", "value": 75},
                "computePlatform": "Server",
            },
            refused("NotInSandbox"),
        ),
        aws=API + "CreateDeploymentConfig.html",
    ),
    row(
        "AWS's configurations stay; of the page's two codes, Floci's is on names",
        OPERATIONS,
        (
            "delete_deployment_config",
            {"deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce"},
            refused("InvalidOperationException"),
        ),
        aws=API + "DeleteDeploymentConfig.html#API_DeleteDeploymentConfig_Errors",
    ),
    row(
        "tags of an application and of a group are set and taken away",
        OPERATIONS,
        MADE,
        (
            "create_deployment_group",
            {**GROUP, "tags": [{"Key": "Team", "Value": "Platform"}]},
            {},
        ),
        (
            "list_tags_for_resource",
            {"ResourceArn": f"{ARN}deploymentgroup:shop/web"},
            {"Tags": [{"Key": "Team", "Value": "Platform"}]},
        ),
        (
            "tag_resource",
            {
                "ResourceArn": f"{ARN}application:shop",
                "Tags": [{"Key": "env", "Value": "test"}, {"Key": "team", "Value": "a"}],
            },
            {},
        ),
        ("untag_resource", {"ResourceArn": f"{ARN}application:shop", "TagKeys": ["team"]}, {}),
        (
            "list_tags_for_resource",
            {"ResourceArn": f"{ARN}application:shop"},
            {"Tags": [{"Key": "env", "Value": "test"}]},
        ),
    ),
    row(
        "a deployment has no tags; moto gives it those of its group",
        SUITE,
        (
            "list_tags_for_resource",
            {"ResourceArn": f"{ARN}deployment:d-123456789"},
            refused("ArnNotSupportedException"),
        ),
        ("list_tags_for_resource", {"ResourceArn": "d-1"}, refused("InvalidArnException")),
        aws=API + "ListTagsForResource.html#API_ListTagsForResource_Errors",
    ),
    row(
        "a group and its application are deleted",
        OPERATIONS,
        MADE,
        GROUPED,
        ("delete_deployment_group", WEB, {}),
        ("delete_application", SHOP, {}),
        ("list_applications", {}, {"applications": []}),
    ),
]
