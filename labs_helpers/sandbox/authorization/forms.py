"""How a request's parameters spell the ARN of each type of resource.

Which types an action needs is AWS's table (tables/*.json); here is where their names are in a
request. Forms of the ARNs:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

A form is what follows `arn:aws:<service>:<region>:<account>:`. In braces are parameters to take
the name from, the first that is there; `=x` stands in when none is; `<:` keeps what is before a
colon. A parameter may itself be an ARN of the type, and is then taken whole.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

_HOLE = re.compile(r"\{([^}]+)\}")


def values(params: Mapping[str, Any], path: str) -> list[str]:
    """The strings at a dotted path; through lists, each of their items."""
    found: list[Any] = [params]
    for step in path.split("."):
        inner = []
        for item in found:
            for each in item if isinstance(item, list) else [item]:
                if isinstance(each, Mapping) and each.get(step) is not None:
                    inner.append(each[step])
        found = inner
    flat = itertools.chain.from_iterable(
        item if isinstance(item, list) else [item] for item in found
    )
    return [item for item in flat if isinstance(item, str) and item]


def account_of(arn: str) -> str:
    """The account in an ARN; empty where it has none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else ""


def made(form: str, params: Mapping[str, Any], start: str) -> list[str]:
    """Every ARN of a form, `start` being `arn:aws:ecs:us-west-2:123456789012:`; [] for none.

    None is made when a parameter that the form has no other word for is not there.
    """
    holes = list(_HOLE.finditer(form))
    parts = _HOLE.split(form)[::2]
    whole: list[str] = []
    rows: list[list[str]] = []
    for number, hole in enumerate(holes):
        given = _given(hole[1], params)
        if not given:
            return []
        if number == len(holes) - 1 and "<:" not in hole[1] and not parts[-1].strip(":/*"):
            whole = [each for each in given if _is_of(each, start, parts[0])]
            given = [each for each in given if each not in whole]
        rows.append([_name(each, parts[0]) for each in given])
    spelled = [
        start + parts[0] + "".join(name + part for name, part in zip(row, parts[1:], strict=True))
        for row in itertools.product(*rows)
    ]
    return spelled + whole


def wild(form: str, params: Mapping[str, Any], start: str) -> str:
    """The form with a star for each name that the request does not give."""
    return start + _HOLE.sub(
        lambda hole: next((_name(each, "") for each in _given(hole[1], params)), "*"), form
    )


def _given(hole: str, params: Mapping[str, Any]) -> list[str]:
    names, _, default = hole.partition("=")
    for name in names.split("|"):
        path = name.removesuffix("<:")
        if found := values(params, path):
            cut = name.endswith("<:")
            return [_before_colon(each) if cut else each for each in found]
    return [default] if default else []


def _is_of(text: str, start: str, head: str) -> bool:
    """Whether a text is an ARN of this service and of the type that begins with `head`."""
    parts, wanted = text.split(":", 5), start.split(":", 5)
    return len(parts) == 6 and parts[:3] == wanted[:3] and parts[5].startswith(head)


def _name(text: str, head: str) -> str:
    """A name as it is, of an ARN the part that is its name."""
    if not text.startswith("arn:"):
        return text
    resource = text.split(":", 5)[-1]
    if head and resource.startswith(head):
        return resource.removeprefix(head).removesuffix(":*")
    return resource.rpartition("/")[2]


def _before_colon(text: str) -> str:
    if text.startswith("arn:"):
        text = text.split(":", 5)[-1].rpartition("/")[2]
    return text.partition(":")[0]


_STACK = "stack/{StackName|StackId}/*"
_GROUP = "log-group:{logGroupName|logGroupIdentifier|resourceIdentifier|logGroupNames}"

FORMS: Mapping[str, Mapping[str, str]] = {
    "cloudformation": {
        "stack": _STACK,
        "changeset": "changeSet/{ChangeSetName}/*",
        "stackset": "stackset/{StackSetName}:*",
    },
    "codebuild": {
        "project": "project/{projectName|name|names|projectArn|id<:|ids<:}",
        "report-group": "report-group/{name|arn|reportArn<:|reportGroupArn|reportGroupArns}",
        "fleet": "fleet/{arn|name|names}:*",
        "sandbox": "sandbox/{sandboxId|id|ids}",
    },
    "codedeploy": {
        "application": "application:{applicationName|applicationNames}",
        "deploymentgroup": "deploymentgroup:{applicationName}/"
        "{deploymentGroupName|deploymentGroupNames|currentDeploymentGroupName}",
        "deploymentconfig": "deploymentconfig:{deploymentConfigName}",
        "instance": "instance:{instanceName|instanceNames}",
    },
    "codepipeline": {
        "pipeline": "{pipelineName|name|pipeline.name|webhook.targetPipeline}",
        "stage": "{pipelineName}/{stageName}",
        "action": "{pipelineName}/{stageName}/{actionName}",
        "actiontype": "actiontype:Custom/{category|actionTypeId.category}/"
        "{provider|actionTypeId.provider}/{version|actionTypeId.version}",
        "webhook": "webhook:{name|webhookName|webhook.name}",
    },
    "ecs": {
        "capacity-provider": "capacity-provider/{capacityProvider|name|capacityProviders}",
        "cluster": "cluster/{cluster|clusterName|clusters=default}",
        "container-instance": "container-instance/{cluster=default}/"
        "{containerInstance|containerInstances}",
        "service": "service/{cluster=default}/{service|serviceName|serviceArn|services}",
        "task": "task/{cluster=default}/{task|tasks}",
        "task-definition": "task-definition/{taskDefinition|taskDefinitions|family}",
        "task-set": "task-set/{cluster=default}/{service}/{taskSet|taskSets}",
    },
    "eks": {
        "access-entry": "access-entry/{clusterName|name}/*",
        "addon": "addon/{clusterName|name}/{addonName}/*",
        "capability": "capability/{clusterName|name}/*/{capabilityName}/*",
        "cluster": "cluster/{clusterName|name}",
        "fargateprofile": "fargateprofile/{clusterName|name}/{fargateProfileName}/*",
        "identityproviderconfig": "identityproviderconfig/{clusterName|name}/*",
        "nodegroup": "nodegroup/{clusterName|name}/{nodegroupName}/*",
        "podidentityassociation": "podidentityassociation/{clusterName|name}/{associationId}",
        "eks-anywhere-subscription": "eks-anywhere-subscription/{id}",
    },
    "events": {
        "api-destination": "api-destination/{Name}",
        "archive": "archive/{ArchiveName}",
        "connection": "connection/{Name|ConnectionArn}",
        "endpoint": "endpoint/{Name}",
        "event-bus": "event-bus/{Name|EventBusName|Entries.EventBusName=default}",
        "event-source": "event-source/{Name|EventSourceName}",
        "replay": "replay/{ReplayName}",
    },
    "logs": {
        # so AWS spells them in what it refuses, and so policies end them with `:*`
        "log-group": _GROUP + ":log-stream:",
        "log-stream": _GROUP + ":log-stream:{logStreamName}",
        "destination": "destination:{destinationName|destinationArn}",
        "delivery": "delivery:{id}",
        "delivery-destination": "delivery-destination:"
        "{name|deliveryDestinationName|deliveryDestinationArn}",
        "delivery-source": "delivery-source:{name|deliverySourceName}",
        "anomaly-detector": "anomaly-detector:{anomalyDetectorArn}",
        "lookup-table": "lookup-table:{lookupTableName|lookupTableArn}",
        "scheduled-query": "scheduled-query:{name|identifier}",
    },
    "ec2": {
        "image": "image/{ImageId}",
        "instance": "instance/{InstanceId}",
        "internet-gateway": "internet-gateway/{InternetGatewayId}",
        "key-pair": "key-pair/{KeyName}",
        "launch-template": "launch-template/{LaunchTemplateId}",
        "natgateway": "natgateway/{NatGatewayId}",
        "network-acl": "network-acl/{NetworkAclId}",
        "network-interface": "network-interface/{NetworkInterfaceId}",
        "route-table": "route-table/{RouteTableId}",
        "security-group": "security-group/{GroupId|SecurityGroupId}",
        "snapshot": "snapshot/{SnapshotId}",
        "subnet": "subnet/{SubnetId}",
        "volume": "volume/{VolumeId}",
        "vpc": "vpc/{VpcId}",
        "vpc-endpoint": "vpc-endpoint/{VpcEndpointId}",
    },
}

WITHOUT_TYPE: Mapping[tuple[str, str], str] = {
    ("eks", "CreateCluster"): "cluster/{name}",
    ("eks", "ListClusters"): "cluster/*",
    ("logs", "DescribeLogGroups"): "log-group::log-stream:",
}
"""Operations for which the reference has no type, and AWS's refusals name a resource."""

OF_ID: Mapping[str, str] = {
    "acl": "network-acl",
    "ami": "image",
    "eni": "network-interface",
    "i": "instance",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
"""What the ids of EC2 are of, by how they begin: CreateTags names resources of any type."""

BY_ARN = ("resourceArn", "ResourceARN", "ResourceArn")
"""The parameter of operations on whatever resource has that ARN (TagResource and its like)."""

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
    ),
    "codebuild": {
        "CreateProject": (("serviceRole", "codebuild"),),
        "UpdateProject": (("serviceRole", "codebuild"),),
        "StartBuild": (("serviceRoleOverride", "codebuild"),),
        "StartBuildBatch": (("serviceRoleOverride", "codebuild"),),
    },
    "codedeploy": {
        "CreateDeploymentGroup": (("serviceRoleArn", "codedeploy"),),
        "UpdateDeploymentGroup": (("serviceRoleArn", "codedeploy"),),
    },
    "codepipeline": {
        "CreatePipeline": (("pipeline.roleArn", "codepipeline"),),
        "UpdatePipeline": (("pipeline.roleArn", "codepipeline"),),
    },
    "ecs": {
        "RegisterTaskDefinition": (("taskRoleArn", "ecs-tasks"), ("executionRoleArn", "ecs-tasks")),
        "RunTask": (
            ("overrides.taskRoleArn", "ecs-tasks"),
            ("overrides.executionRoleArn", "ecs-tasks"),
        ),
        "StartTask": (
            ("overrides.taskRoleArn", "ecs-tasks"),
            ("overrides.executionRoleArn", "ecs-tasks"),
        ),
        "CreateService": (("role", "ecs"),),
    },
    "eks": {
        "CreateCluster": (("roleArn", "eks"),),
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
}
"""Where a service is handed a role, and for which service principal: iam:PassRole.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""
