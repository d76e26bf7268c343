"""Rows of applications, groups, configurations and tags (test_public_expectations.py)."""

from __future__ import annotations

import re
from datetime import datetime

from tests.sandbox.codedeploy.test_rules import GROUP, ROLE
from tests.sandbox.public_expectations import AWS, FLOCI, MOTO, Step, Told, refused, row

SUITE = MOTO + "test_codedeploy/test_codedeploy.py"
OPERATIONS = FLOCI + (
    "src/test/java/io/github/hectorvent/floci/services/codedeploy/CodeDeployIntegrationTest.java"
)

API = AWS + "codedeploy/latest/APIReference/API_"
ARN = "arn:aws:codedeploy:us-west-2:123456789012:"
SHOP = {"applicationName": "shop"}
WEB = {**SHOP, "deploymentGroupName": "web"}
GIVEN = {"applicationName": "shop", "computePlatform": "ECS"}
NO_APPLICATION = refused(
    "ApplicationDoesNotExistException", "No application found for name: nowhere"
)

MADE: Step = ("create_application", GIVEN, {"applicationId": str})
GROUPED: Step = ("create_deployment_group", GROUP, {"deploymentGroupId": str})
GROUPS = [
    row(
        "an application is made, described and listed",
        SUITE,
        ("create_application", {**GIVEN, "tags": [{"Key": "Name", "Value": "Test"}]}, {}),
        (
            "get_application",
            SHOP,
            {
                "application": {
                    "applicationId": Told(0, "applicationId"),
                    "applicationName": "shop",
                    "computePlatform": "ECS",
                    "linkedToGitHub": False,
                    "createTime": datetime,
                }
            },
        ),
        ("list_applications", {}, {"applications": ["shop"]}),
        (
            "list_tags_for_resource",
            {"ResourceArn": f"{ARN}application:shop"},
            {"Tags": [{"Key": "Name", "Value": "Test"}]},
        ),
    ),
    *(
        row(
            f"an application for {platform} is refused by name",
            SUITE,
            (
                "create_application",
                {**GIVEN, "computePlatform": platform},
                refused("NotInSandbox", re.compile(platform)),
            ),
            aws=API + "CreateApplication.html",
        )
        for platform in ("Server", "Lambda")
    ),
    row(
        "an application is made once",
        SUITE,
        MADE,
        ("create_application", GIVEN, refused("ApplicationAlreadyExistsException")),
    ),
    row(
        "applications are described together, and not where one is missing",
        SUITE,
        MADE,
        ("create_application", {**GIVEN, "applicationName": "store"}, {}),
        (
            "batch_get_applications",
            {"applicationNames": ["shop", "store"]},
            {"applicationsInfo": [{"applicationName": "shop"}, {"applicationName": "store"}]},
        ),
        ("batch_get_applications", {"applicationNames": ["nowhere"]}, NO_APPLICATION),
    ),
    row(
        "a group is made once, and described with its role and configuration",
        SUITE,
        MADE,
        GROUPED,
        (
            "get_deployment_group",
            WEB,
            {
                "deploymentGroupInfo": {
                    **WEB,
                    "deploymentGroupId": Told(1, "deploymentGroupId"),
                    "deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce",
                    "serviceRoleArn": ROLE,
                }
            },
        ),
        ("create_deployment_group", GROUP, refused("DeploymentGroupAlreadyExistsException")),
    ),
    row(
        "a group is of an application that is there",
        SUITE,
        ("create_deployment_group", {**GROUP, "applicationName": "nowhere"}, NO_APPLICATION),
        ("get_deployment_group", {**WEB, "applicationName": "nowhere"}, NO_APPLICATION),
    ),
    row(
        "a group that is not there cannot be got",
        SUITE,
        MADE,
        ("get_deployment_group", WEB, refused("DeploymentGroupDoesNotExistException")),
    ),
    row(
        "groups are listed, and described together",
        OPERATIONS,
        MADE,
        GROUPED,
        ("list_deployment_groups", SHOP, {**SHOP, "deploymentGroups": ["web"]}),
        (
            "batch_get_deployment_groups",
            {**SHOP, "deploymentGroupNames": ["web"]},
            {"deploymentGroupsInfo": [{"deploymentGroupName": "web"}]},
        ),
    ),
    row(
        "the groups of no application are not listed; moto lists none",
        SUITE,
        ("list_deployment_groups", {"applicationName": "nowhere"}, NO_APPLICATION),
        aws=API + "ListDeploymentGroups.html#API_ListDeploymentGroups_Errors",
    ),
]
