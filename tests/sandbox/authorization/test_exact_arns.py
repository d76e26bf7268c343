"""No ARN of a request names one resource to the decision and another one to moto.

A valid ARN is given in every parameter that may take one, then one spelling after another that
moto would shorten to another resource: each is refused, or the decision is on exactly that ARN.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from labs_helpers.sandbox.authorization import actions, exact
from labs_helpers.sandbox.authorization.models import prefix_of
from labs_helpers.sandbox.authorization.tables import arn_formats
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.refusal import Refusal
from tests.sandbox.authorization.open_calls import asked_of, filled, open_operations
from tests.sandbox.authorization.people_here import ACCOUNT, Nobody

DEV = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/dev", "AIDADEV", "AKIADEV")
REGION = "us-west-2"

APART = ("iam", "s3", "sts")
"""Their ARNs are looked up whole; test_s3_requests.py and test_iam_rules.py are about them."""

OPEN = [(service, name) for service, name in open_operations() if service not in APART]


def types_of(prefix: str) -> dict[str, str]:
    """One ARN of each type of a service, whose name is mine."""
    formats = arn_formats().get(prefix, {})
    return {kind: filled(form, "mine") for kind, form in formats.items()}


def twisted(arn: str) -> Iterator[str]:
    """Spellings of an ARN that end in the name of something else."""
    start, resource = ":".join(arn.split(":", 5)[:5]), arn.split(":", 5)[5]
    head = resource.partition("/")[0].partition(":")[0]
    yield f"{arn}:sec"
    yield f"{arn}:{head}:sec"
    yield f"{arn}:{head}/sec"
    yield f"{arn}:{arn}"
    yield f"{start}:x:{resource}"
    yield f"{start}:x/{resource}"
    yield f"{start}:{head}mine"
    yield f"{start}:"
    yield f"{arn}:"
    yield f"{arn}/sec"
    yield f"{arn}/"
    yield f"{arn}/../sec"
    yield f"{start}:{resource.replace('/', '//')}"
    yield f"{start}:{head}/{resource}"
    yield arn.replace(REGION, "")
    yield arn.replace(ACCOUNT, "")


def given(value: Any, texts: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path to each text of a request that may name a resource."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in exact.DATA:
                yield from given(each, (*texts, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from given(each, (*texts, str(number)))
    elif isinstance(value, str):
        yield texts


def with_text(params: Any, path: tuple[str, ...], text: str) -> Any:
    """Parameters that differ in the text at `path`; what is off the path is shared."""
    if not path:
        return text
    step = int(path[0]) if isinstance(params, list) else path[0]
    changed = copy.copy(params)
    changed[step] = with_text(params[step], path[1:], text)
    return changed


def decided(asked: ApiRequest) -> set[str] | None:
    """What a request is decided on; None where the request is refused."""
    try:
        found = actions.needed(asked, DEV, REGION, Nobody())
    except Refusal:
        return None
    return {each.resource for each in found}


def unsound(asked: ApiRequest, arn: str) -> bool:
    """Whether an ARN that fits no type of its service gets to moto."""
    found = decided(asked)
    return found is not None and not exact.fits(arn, arn.split(":")[2])


@pytest.mark.parametrize("service", sorted({service for service, _ in OPEN}))
def test_no_parameter_takes_an_arn_with_a_segment_too_many_or_too_few(service: str) -> None:
    arns = [*types_of(prefix_of(service)).values()][:6]
    spellings = list(dict.fromkeys(each for arn in arns for each in twisted(arn)))
    taken = []
    for name in [name for each, name in OPEN if each == service]:
        asked = asked_of(service, name, text="dev")[0]
        for path in given(asked.params):
            for each in spellings:
                changed = ApiRequest(
                    asked.service, asked.prefix, name, with_text(asked.params, path, each)
                )
                if skipped(service, path) or not unsound(changed, each):
                    continue
                taken.append((name, ".".join(path), each))
    assert taken == []


def skipped(service: str, path: tuple[str, ...]) -> bool:
    """Whether a text is of the caller's own words, or a target, which moto/table.py refuses."""
    if service == "events" and path[-1] == "Arn" and "Targets" in path:
        return True
    return path[-1] in exact.WORDS or (service == "events" and bool({*path} & {*exact.EVENT}))


ONE_NAME = [
    # what AWS calls the resource, and what moto would have made of the spelling
    ("secretsmanager", "GetSecretValue", "SecretId", "secret:foo:top"),
    ("secretsmanager", "PutSecretValue", "SecretId", "secret:foo-abcdef:top"),
    ("logs", "FilterLogEvents", "logGroupIdentifier", "log-group:lmine:lsec"),
    ("logs", "FilterLogEvents", "logGroupIdentifier", "log-group:lmine:log-group:lsec"),
    ("logs", "TagResource", "resourceArn", "log-group:lmine:lsec"),
    ("ecs", "DeleteCluster", "cluster", "cluster/mine/sec"),
    ("ecs", "DeleteCluster", "cluster", "service/mine/sec"),
    ("ecs", "TagResource", "resourceArn", "cluster/mine:cluster/sec"),
    ("ecs", "DeregisterTaskDefinition", "taskDefinition", "task-definition/mine/tsec:1"),
    ("ecs", "DeregisterTaskDefinition", "taskDefinition", "task-definition/tsec"),
    ("kms", "Encrypt", "KeyId", "key/K:key/x"),
    ("kms", "Encrypt", "KeyId", "alias/a1:alias/zz"),
    ("kms", "Encrypt", "KeyId", "x:alias/a1"),
    ("kms", "Encrypt", "KeyId", "x/y:key/K:key/z"),
    ("ssm", "GetParameter", "Name", "parameterplain"),
    ("ssm", "GetParameter", "Name", "parameter//plain"),
    ("ssm", "GetParameter", "Name", "parameter/mine:parameter/plain"),
    ("events", "TagResource", "ResourceARN", "rule/a/b/c"),
    ("events", "TagResource", "ResourceARN", "archive/rsec"),
    ("codepipeline", "TagResource", "resourceArn", "mine:psec"),
    ("codepipeline", "TagResource", "resourceArn", "mine/x:psec"),
    ("codepipeline", "TagResource", "resourceArn", "webhook:psec"),
    ("codedeploy", "TagResource", "ResourceArn", "application:mine:cda"),
    ("codebuild", "DeleteProject", "name", "project/mine/secproj"),
    ("dynamodb", "Scan", "TableName", "table/tmine/tsec"),
    ("dynamodb", "Scan", "TableName", "table/tmine/index/tsec"),
    ("dynamodb", "TagResource", "ResourceArn", "table/tmine/x:table/tsec"),
    ("dynamodb", "PutResourcePolicy", "ResourceArn", "table/tmine:table/tsec"),
    ("elasticloadbalancing", "DeleteRule", "RuleArn", "listener-rule/app/l/1/2/3/x"),
    ("cloudformation", "DeleteStack", "StackName", "changeSet/mine/1"),
    ("codedeploy", "GetApplication", "applicationName", "deploymentgroup:mine/sec"),
    ("ecs", "CreateCluster", "clusterName", "service/mine/sec"),
    ("sns", "Publish", "TopicArn", "mine:sec"),
    ("sns", "Unsubscribe", "SubscriptionArn", "mine:1:2"),
    # of another type than the parameter names
    ("cloudtrail", "GetTrail", "Name", "dashboard/mine"),
    ("cloudtrail", "GetTrailStatus", "Name", "eventdatastore/mine"),
    ("cloudtrail", "DescribeTrails", "trailNameList", "channel/mine"),
    ("codebuild", "DeleteProject", "name", "report-group/mine"),
    ("codebuild", "BatchGetProjects", "names", "fleet/mine:1"),
    ("cloudformation", "DescribeChangeSet", "ChangeSetName", "stack/mine/1"),
    ("codepipeline", "GetPipeline", "name", "webhook:mine"),
    ("dynamodb", "Query", "IndexName", "table/mine"),
    ("ecs", "DescribeServices", "services", "cluster/mine"),
    ("elasticloadbalancing", "DeleteListener", "ListenerArn", "targetgroup/mine/1"),
    ("elasticloadbalancing", "DeleteTargetGroup", "TargetGroupArn", "loadbalancer/app/mine/1"),
    ("events", "DescribeEventBus", "Name", "rule/mine"),
    ("kms", "CreateAlias", "AliasName", "key/mine"),
]


@pytest.mark.parametrize(("service", "operation", "parameter", "resource"), ONE_NAME)
def test_an_arn_of_two_names_is_refused(
    service: str, operation: str, parameter: str, resource: str
) -> None:
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
    asked = ApiRequest(service, prefix_of(service), operation, {parameter: arn})
    with pytest.raises(Refusal, match="is no ARN of a resource of"):
        actions.needed(asked, DEV, REGION, Nobody())


def test_an_arn_of_another_type_is_named_as_such() -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopServiceDeployment.html"""
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/main/web"
    asked = ApiRequest("ecs", "ecs", "StopServiceDeployment", {"serviceDeploymentArn": arn})
    with pytest.raises(Refusal) as refused:
        actions.needed(asked, DEV, REGION, Nobody())
    assert refused.value.message == (
        f"'{arn}' is no ARN of a resource of the type service-deployment, but of service."
    )


@pytest.mark.parametrize(
    ("service", "operation", "parameter", "name"),
    [
        ("secretsmanager", "GetSecretValue", "SecretId", "foo:top"),
        ("kms", "Encrypt", "KeyId", "x/y:key/k"),
        ("ecs", "DeleteCluster", "cluster", "mine:cluster/sec"),
        ("logs", "FilterLogEvents", "logGroupName", "mine:sec"),
        ("events", "PutTargets", "EventBusName", "mine/default"),
        ("dynamodb", "Scan", "TableName", "mine:sec"),
    ],
)
def test_a_name_with_a_separator_of_an_arn_is_refused(
    service: str, operation: str, parameter: str, name: str
) -> None:
    asked = ApiRequest(service, prefix_of(service), operation, {parameter: name, "Rule": "r"})
    with pytest.raises(Refusal, match="is no name of a resource of"):
        actions.needed(asked, DEV, REGION, Nobody())


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:s3:::mine:main-sec",
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/vpc-1",
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:x/y/vpc-1",
        f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/x/sec",
        f"arn:aws:sqs:{REGION}:{ACCOUNT}:qmine:qsec",
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:rsec",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/a",
        f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameterplain",
        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x:top2",
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:x:lsec",
    ],
)
def test_the_tagging_api_takes_no_arn_of_two_names(arn: str) -> None:
    asked = ApiRequest(
        "tagging", "tag", "TagResources", {"ResourceARNList": [arn], "Tags": {"a": "b"}}
    )
    with pytest.raises(Refusal, match="is no ARN of a resource of"):
        actions.needed(asked, DEV, REGION, Nobody())
