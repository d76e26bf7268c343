"""What moto's services acknowledged outlives `kill -9`; what is damaged is set aside as a whole."""

from __future__ import annotations

import hashlib
import json
import pickle
import pickletools
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.policies import deny, policy
from tests.sandbox import sandbox_process
from tests.sandbox.iam.people import refused
from tests.sandbox.sandbox_process import Running

TEMPLATE = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "of-the-stack"}},
        "Queue": {"Type": "AWS::SQS::Queue"},
    },
    "Outputs": {"Name": {"Value": {"Ref": "Bucket"}, "Export": {"Name": "the-bucket"}}},
}
TABLE = {
    "TableName": "table",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
    "Tags": [{"Key": "team", "Value": "a"}],
}
PLACE = {"LocationConstraint": "us-west-2"}
DEFAULTS = [{"Name": "group-name", "Values": ["default"]}]
QUEUE = "arn:aws:sqs:us-west-2:123456789012:queue"


SESSION = boto3.session.Session()
"""Holds the models of services, each of which is read once."""


def client_of(sandbox: Running, service: str) -> Any:
    """A client of the learner that never tries twice."""
    return SESSION.client(
        service,
        endpoint_url=sandbox.url,
        region_name="us-west-2",
        aws_access_key_id=sandbox.learner["access_key_id"],
        aws_secret_access_key=sandbox.learner["secret_access_key"],
        config=Config(retries={"max_attempts": 0}),
    )


def fill(sandbox: Running) -> dict[str, str]:
    """Something of everything; what is needed to ask for it again."""
    client = partial(client_of, sandbox)
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=PLACE)
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    forbidden = deny("s3:DeleteBucket", "arn:aws:s3:::bucket") | {"Principal": "*"}
    s3.put_bucket_policy(Bucket="bucket", Policy=policy(forbidden))
    for body in (b"", b"one", b"two" * 1000):
        s3.put_object(Bucket="bucket", Key="a/b", Body=body, Metadata={"of": "mine"})
    s3.put_object_tagging(
        Bucket="bucket", Key="a/b", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]}
    )
    s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/a/b")
    s3.delete_object(Bucket="bucket", Key="a/b")
    upload = s3.create_multipart_upload(Bucket="bucket", Key="parts")["UploadId"]
    s3.upload_part(Bucket="bucket", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="queue", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    for body in ("taken", "waits"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    receipt = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    topic = client("sns").create_topic(Name="topic")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/mine", TargetKeyId=key)
    ssm = client("ssm")
    ssm.put_parameter(Name="p", Value="one", Type="SecureString", Tags=TABLE["Tags"])
    ssm.put_parameter(Name="p", Value="two", Type="SecureString", Overwrite=True)
    client("secretsmanager").create_secret(Name="secret", SecretString="x")
    logs = client("logs")
    logs.create_log_group(logGroupName="group", tags={"team": "a"})
    logs.create_log_stream(logGroupName="group", logStreamName="stream")
    now = int(time.time() * 1000)
    for at in range(2):
        events = [{"timestamp": now + at, "message": f"line {at}"}]
        logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=events)
    events = client("events")
    events.put_rule(Name="rule", EventPattern='{"source": ["mine"]}')
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": QUEUE}])
    dynamodb = client("dynamodb")
    dynamodb.create_table(**TABLE)
    for name in ("1", "2"):
        dynamodb.put_item(TableName="table", Item={"id": {"S": name}, "n": {"N": "1"}})
    dynamodb.update_item(
        TableName="table",
        Key={"id": {"S": "1"}},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "7"}},
    )
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "mine"}])
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    client("elbv2").create_load_balancer(Name="balancer", Subnets=subnets[:2])
    client("cloudwatch").put_metric_data(
        Namespace="mine", MetricData=[{"MetricName": "m", "Value": 1}]
    )
    client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="other",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="r")
    client("ecs").create_cluster(clusterName="cluster")
    client("cloudformation").create_stack(StackName="stack", TemplateBody=json.dumps(TEMPLATE))
    client("ecr").create_repository(
        repositoryName="sealed", encryptionConfiguration={"encryptionType": "KMS"}
    )
    sealed = client("kms").encrypt(KeyId=key, Plaintext=b"plain")["CiphertextBlob"].hex()
    return {"url": url, "key": key, "upload": upload, "sealed": sealed, "receipt": receipt}


def seen(sandbox: Running, given: dict[str, str]) -> dict[str, Any]:
    """All of it, as the services tell it."""
    bucket = {"Bucket": "bucket"}
    stream = {"logGroupName": "group", "logStreamName": "stream"}
    stack = {"StackName": "stack"}
    questions: list[tuple[str, str, dict[str, Any]]] = [
        ("resourcegroupstaggingapi", "get_resources", {}),
        ("s3", "list_buckets", {}),
        ("s3", "list_object_versions", bucket),
        ("s3", "get_bucket_policy", bucket),
        ("s3", "list_parts", {**bucket, "Key": "parts", "UploadId": given["upload"]}),
        ("s3", "head_object", {**bucket, "Key": "copy"}),
        ("s3", "get_object_tagging", {**bucket, "Key": "copy"}),
        ("sqs", "get_queue_attributes", {"QueueUrl": given["url"], "AttributeNames": ["All"]}),
        ("sns", "list_topics", {}),
        ("sns", "list_subscriptions", {}),
        ("kms", "list_aliases", {}),
        ("kms", "describe_key", {"KeyId": given["key"]}),
        ("kms", "decrypt", {"CiphertextBlob": bytes.fromhex(given["sealed"])}),
        ("ssm", "get_parameter_history", {"Name": "p", "WithDecryption": True}),
        ("ssm", "list_tags_for_resource", {"ResourceType": "Parameter", "ResourceId": "p"}),
        ("secretsmanager", "list_secrets", {}),
        ("logs", "describe_log_groups", {}),
        ("logs", "get_log_events", stream),
        ("events", "list_rules", {}),
        ("events", "list_targets_by_rule", {"Rule": "rule"}),
        ("dynamodb", "describe_table", {"TableName": "table"}),
        ("dynamodb", "scan", {"TableName": "table"}),
        ("ec2", "describe_vpcs", {}),
        ("ec2", "describe_subnets", {}),
        (
            "ec2",
            "describe_security_groups",
            {"Filters": [{"Name": "group-name", "Values": ["d*"]}]},
        ),
        ("ec2", "describe_tags", {}),
        ("elbv2", "describe_load_balancers", {}),
        ("cloudwatch", "list_metrics", {}),
        ("cloudwatch", "describe_alarms", {}),
        ("ecs", "describe_clusters", {"clusters": ["cluster"]}),
        ("cloudformation", "describe_stacks", stack),
        ("cloudformation", "list_stack_resources", stack),
        ("cloudformation", "describe_stack_events", stack),
        ("cloudformation", "list_exports", {}),
    ]
    told = {}
    for service, operation, params in questions:
        answer = getattr(client_of(sandbox, service), operation)(**params)
        answer.pop("ResponseMetadata")
        told[f"{service} {operation}"] = answer
    tagged = told["resourcegroupstaggingapi get_resources"]["ResourceTagMappingList"]
    tagged.sort(key=lambda each: str(each["ResourceARN"]))
    return told


def kill(sandbox: Running) -> None:
    sandbox.process.kill()
    sandbox.process.wait(30)


def test_all_of_it_is_as_it_was_and_goes_on(tmp_path: Path) -> None:
    first = sandbox_process.start(tmp_path)
    given = fill(first)
    before = seen(first, given)
    kill(first)
    second = sandbox_process.start(tmp_path)
    after = seen(second, given)
    s3, sqs, logs = (client_of(second, name) for name in ("s3", "sqs", "logs"))
    copied = s3.get_object(Bucket="bucket", Key="copy")["Body"].read()
    with refused("AccessDenied"):
        s3.delete_bucket(Bucket="bucket")
    sqs.delete_message(QueueUrl=given["url"], ReceiptHandle=given["receipt"])
    waits = sqs.receive_message(QueueUrl=given["url"])["Messages"]
    old = {event["eventId"] for event in logs.filter_log_events(logGroupName="group")["events"]}
    line = [{"timestamp": int(time.time() * 1000), "message": "line 2"}]
    logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=line)
    new = {event["eventId"] for event in logs.filter_log_events(logGroupName="group")["events"]}
    client_of(second, "cloudformation").delete_stack(StackName="stack")
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    _, status = second.control("GET", "status")
    second.stop()
    assert after == before
    assert copied == b"two" * 1000
    assert [message["Body"] for message in waits] == ["waits"]
    assert (len(old), len(new)) == (2, 3)
    assert buckets == ["bucket"]
    assert status["notices"] == []


OF_OUR_STACKS = {"kinds.Made", "life.Entry", "onto_moto._Exports", "scope.Scope"}
"""The classes by whose modules and names stacks of earlier versions are on disk."""


def test_a_stored_stack_names_the_classes_that_stacks_of_earlier_versions_name(
    tmp_path: Path,
) -> None:
    sandbox = sandbox_process.start(tmp_path)
    stack = {"StackName": "stack", "TemplateBody": json.dumps(TEMPLATE)}
    client_of(sandbox, "cloudformation").create_stack(**stack)
    kill(sandbox)
    with rows(tmp_path) as database:
        stored = "select content from shards where service = 'cloudformation'"
        contents = [content for (content,) in database.execute(stored)]
    texts = {
        text
        for content in contents
        for _, text, _ in pickletools.genops(content)
        if isinstance(text, str)
    }
    ours = "labs_helpers.sandbox.moto.stacks."
    modules = {text.removeprefix(ours) for text in texts if text.startswith(ours)}
    named = {one for one in OF_OUR_STACKS if one.partition(".")[2] in texts}
    assert modules == {one.partition(".")[0] for one in OF_OUR_STACKS}
    assert named == OF_OUR_STACKS


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The folder of a sandbox that had two services, and ended."""
    sandbox = sandbox_process.start(tmp_path)
    client_of(sandbox, "sqs").create_queue(QueueName="goes")
    client_of(sandbox, "sns").create_topic(Name="stays")
    kill(sandbox)
    return tmp_path


def rows(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(home / "sandbox" / "services" / "services.sqlite")


class Bad:
    """What a stored file must not be able to do."""

    def __reduce__(self) -> Any:
        return print, ("harm done",)


def with_a_wrong_checksum(home: Path) -> None:
    with rows(home) as database:
        database.execute("update shards set content = x'00' where service = 'sqs'")


def with_a_foreign_class(home: Path) -> None:
    content = pickle.dumps({"queues": Bad()})
    with rows(home) as database:
        database.execute(
            "update backends set content = ?, sha256 = ? where service = 'sqs'",
            (content, hashlib.sha256(content).hexdigest()),
        )


def of_another_moto(home: Path) -> None:
    with rows(home) as database:
        database.execute("update services set moto = '4.0' where service = 'sqs'")


def without_an_object(home: Path) -> None:
    with rows(home) as database:
        database.execute("delete from shards where service = 'sqs'")


@pytest.mark.parametrize(
    "damage",
    [with_a_wrong_checksum, with_a_foreign_class, of_another_moto, without_an_object],
)
def test_a_damaged_service_is_set_aside_as_a_whole_and_no_other_is_lost(
    stopped: Path, damage: Callable[[Path], None]
) -> None:
    damage(stopped)
    sandbox = sandbox_process.start(stopped)
    queues = client_of(sandbox, "sqs").list_queues().get("QueueUrls", [])
    topics = client_of(sandbox, "sns").list_topics()["Topics"]
    _, status = sandbox.control("GET", "status")
    sandbox.stop()
    assert (queues, len(topics)) == ([], 1)
    (notice,) = status["notices"]
    (kept,) = (stopped / "sandbox" / "services").glob("sqs.sqlite.damaged-*")
    assert str(kept) in notice
    assert "What the service sqs held was not usable" in notice
    assert notice in sandbox.log
    assert "harm done" not in sandbox.log


def test_a_missing_body_sets_the_buckets_aside(tmp_path: Path) -> None:
    first = sandbox_process.start(tmp_path)
    client_of(first, "s3").create_bucket(Bucket="bucket", CreateBucketConfiguration=PLACE)
    client_of(first, "s3").put_object(Bucket="bucket", Key="k", Body=b"body")
    kill(first)
    digest = hashlib.sha256(b"body").hexdigest()
    (tmp_path / "sandbox" / "services" / "bodies" / digest[:2] / digest).unlink()
    second = sandbox_process.start(tmp_path)
    buckets = client_of(second, "s3").list_buckets()["Buckets"]
    _, status = second.control("GET", "status")
    second.stop()
    assert buckets == []
    (notice,) = status["notices"]
    assert f"the body {digest} is missing" in notice


def test_a_change_that_the_disk_does_not_take_is_undone(tmp_path: Path) -> None:
    sandbox = sandbox_process.start(tmp_path)
    s3 = client_of(sandbox, "s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=PLACE)
    s3.put_object(Bucket="bucket", Key="stays", Body=b"as it was")
    with rows(tmp_path) as database:
        database.execute(
            "create trigger full before insert on shards begin select raise(abort, 'full'); end"
        )
    with refused("InternalFailure"):
        s3.put_object(Bucket="bucket", Key="stays", Body=b"not acknowledged")
    with refused("InternalFailure"):
        s3.put_object(Bucket="bucket", Key="goes", Body=b"not acknowledged")
    listed = [each["Key"] for each in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    body = s3.get_object(Bucket="bucket", Key="stays")["Body"].read()
    sandbox.stop()
    assert (listed, body) == (["stays"], b"as it was")


def test_bodies_that_nobody_refers_to_are_removed(tmp_path: Path) -> None:
    sandbox = sandbox_process.start(tmp_path)
    s3 = client_of(sandbox, "s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=PLACE)
    for key, body in (("a", b"shared"), ("b", b"shared"), ("c", b"own")):
        s3.put_object(Bucket="bucket", Key=key, Body=body)
    s3.delete_object(Bucket="bucket", Key="a")
    s3.delete_object(Bucket="bucket", Key="c")
    left = s3.get_object(Bucket="bucket", Key="b")["Body"].read()
    sandbox.stop()
    bodies = (tmp_path / "sandbox" / "services" / "bodies").rglob("*")
    assert left == b"shared"
    assert [path.name for path in bodies if path.is_file()] == [hashlib.sha256(left).hexdigest()]


def test_who_waits_for_a_message_keeps_nobody_from_sending(sandbox: Running) -> None:
    sqs = client_of(sandbox, "sqs")
    url = sqs.create_queue(QueueName="queue")["QueueUrl"]
    received: list[str] = []

    def wait() -> None:
        other = client_of(sandbox, "sqs")
        answer = other.receive_message(QueueUrl=url, WaitTimeSeconds=20)
        received.extend(message["Body"] for message in answer.get("Messages", []))

    waiting = threading.Thread(target=wait)
    waiting.start()
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    waiting.join()
    assert received == ["hello"]
