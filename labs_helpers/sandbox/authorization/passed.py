"""Where a request hands a role to a service, which needs iam:PassRole, or a connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.authorization.arns import account_of, values
from labs_helpers.sandbox.authorization.iam import Names
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission
from labs_helpers.sandbox.identity import Principal

_PROFILED = ("RunInstances", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation")

_OF_A_SERVICE = tuple(
    (path, "ecs")
    for path in (
        "loadBalancers.advancedConfiguration.roleArn",
        "deploymentConfiguration.lifecycleHooks.roleArn",
        "serviceConnectConfiguration.services.tls.roleArn",
        "volumeConfigurations.managedEBSVolume.roleArn",
        "vpcLatticeConfigurations.roleArn",
    )
)
"""The infrastructure roles of a service of ECS.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/infrastructure_IAM_role.html
"""

PASSED: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = {
    "cloudformation": dict.fromkeys(
        (
            "CreateStack",
            "UpdateStack",
            "DeleteStack",
            "CreateChangeSet",
            "ContinueUpdateRollback",
            "RollbackStack",
        ),
        (("RoleARN", "cloudformation"),),
    )
    | dict.fromkeys(
        ("CreateStackSet", "UpdateStackSet"), (("AdministrationRoleARN", "cloudformation"),)
    ),
    "codebuild": {
        **dict.fromkeys(
            ("CreateProject", "UpdateProject"),
            (("serviceRole", "codebuild"), ("buildBatchConfig.serviceRole", "codebuild")),
        ),
        "StartBuild": (("serviceRoleOverride", "codebuild"),),
        "StartBuildBatch": (
            ("serviceRoleOverride", "codebuild"),
            ("buildBatchConfigOverride.serviceRole", "codebuild"),
        ),
        "UpdateProjectVisibility": (("resourceAccessRole", "codebuild"),),
    },
    "codedeploy": {
        "CreateDeploymentGroup": (("serviceRoleArn", "codedeploy"),),
        "UpdateDeploymentGroup": (("serviceRoleArn", "codedeploy"),),
    },
    "codepipeline": {
        **dict.fromkeys(
            ("CreatePipeline", "UpdatePipeline"),
            (
                ("pipeline.roleArn", "codepipeline"),
                ("pipeline.stages.actions.roleArn", "codepipeline"),
                *(
                    (f"pipeline.stages.{when}.conditions.rules.roleArn", "codepipeline")
                    for when in ("beforeEntry", "onFailure", "onSuccess")
                ),
            ),
        ),
    },
    "ecs": {
        "RegisterTaskDefinition": (("taskRoleArn", "ecs-tasks"), ("executionRoleArn", "ecs-tasks")),
        **dict.fromkeys(
            ("RunTask", "StartTask"),
            (
                ("overrides.taskRoleArn", "ecs-tasks"),
                ("overrides.executionRoleArn", "ecs-tasks"),
                ("volumeConfigurations.managedEBSVolume.roleArn", "ecs"),
            ),
        ),
        "CreateService": (("role", "ecs"), *_OF_A_SERVICE),
        "UpdateService": _OF_A_SERVICE,
        "CreateTaskSet": (("loadBalancers.advancedConfiguration.roleArn", "ecs"),),
    },
    "ecr": dict.fromkeys(
        (
            "CreatePullThroughCacheRule",
            "UpdatePullThroughCacheRule",
            "CreateRepositoryCreationTemplate",
            "UpdateRepositoryCreationTemplate",
        ),
        (("customRoleArn", "ecr"),),
    ),
    "eks": {
        "CreateCluster": (("roleArn", "eks"), ("computeConfig.nodeRoleArn", "eks")),
        "CreateNodegroup": (("nodeRole", "eks"),),
        "CreateFargateProfile": (("podExecutionRoleArn", "eks"),),
        "CreateAddon": (("serviceAccountRoleArn", "eks"),),
        "UpdateAddon": (("serviceAccountRoleArn", "eks"),),
    },
    "events": {"PutRule": (("RoleArn", "events"),), "PutTargets": (("Targets.RoleArn", "events"),)},
    "logs": {
        "PutSubscriptionFilter": (("roleArn", "logs"),),
        "PutDestination": (("roleArn", "logs"),),
    },
    "s3": {"PutBucketReplication": (("Role", "s3"),)},
}
"""Where a service is handed a role, and for which service principal: iam:PassRole.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""


_CONNECTIONS = ("codeconnections", "codestar-connections")
_CONNECTION = "pipeline.stages.actions.configuration.ConnectionArn"


def passed(asked: ApiRequest, caller: Principal, names: Names) -> Iterator[Permission]:
    """iam:PassRole for each role that the request hands to a service, and PassConnection."""
    if asked.service == "ec2" and asked.operation in _PROFILED:
        yield from _of_profile(asked, caller, names)
    if asked.service == "sns":
        for role in _of_attributes(asked.params):
            yield _pass(role, "sns", caller, names)
    for path, service in PASSED.get(asked.service, {}).get(asked.operation, ()):
        for role in dict.fromkeys(values(asked.params, path)):
            yield _pass(role, service, caller, names)
    if asked.service == "codepipeline" and asked.operation in ("CreatePipeline", "UpdatePipeline"):
        for arn in dict.fromkeys(values(asked.params, _CONNECTION)):
            yield from _pass_connection(arn)


def _pass_connection(arn: str) -> Iterator[Permission]:
    """The right to hand a connection to CodePipeline; none for what is no connection's ARN.

    https://docs.aws.amazon.com/dtconsole/latest/userguide/security_iam_id-based-policy-examples-connections.html
    """
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if service in _CONNECTIONS:
        keys = {f"{service}:passedtoservice": ("codepipeline.amazonaws.com",)}
        yield Permission(f"{service}:PassConnection", arn, account_of(arn), keys)


def _pass(role: str, service: str, caller: Principal, names: Names) -> Permission:
    arn = role if role.startswith("arn:") else names.entity_arn(caller.account, "role", role)
    arn = arn or f"arn:aws:iam::{caller.account}:role/{role}"
    keys = {"iam:passedtoservice": (f"{service}.amazonaws.com",)}
    return Permission("iam:PassRole", arn, account_of(arn), keys)


def _of_attributes(params: Mapping[str, Any]) -> Iterator[str]:
    """The roles among a topic's or subscription's attributes, which end with RoleArn.

    https://docs.aws.amazon.com/sns/latest/dg/sns-topic-attributes.html
    """
    given: list[tuple[Any, Any]] = [(params.get("AttributeName"), params.get("AttributeValue"))]
    pairs = params.get("Attributes")
    if isinstance(pairs, Mapping):
        given += pairs.items()
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, Mapping):
            given.append((pair.get("key"), pair.get("value")))
    for name, value in given:
        if str(name).endswith("RoleArn") and value and isinstance(value, str):
            yield value


def _of_profile(asked: ApiRequest, caller: Principal, names: Names) -> Iterator[Permission]:
    """An instance profile hands its role to the instance."""
    for name in values(asked.params, "IamInstanceProfile.Name") + [
        arn.rpartition("/")[2] for arn in values(asked.params, "IamInstanceProfile.Arn")
    ]:
        role = names.role_of_profile(caller.account, name)
        arn = role or f"arn:aws:iam::{caller.account}:role/{name}"
        keys = {"iam:passedtoservice": ("ec2.amazonaws.com",)}
        yield Permission("iam:PassRole", arn, account_of(arn), keys)
