"""LookupEvents tells of the calls that really came: who, what, on which resource, how it ended."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.sandbox_process import Running, keys_of

ACCOUNT = "123456789012"
ARN = f"arn:aws:ecr:us-west-2:{ACCOUNT}:repository"
SECRET = "hush-" + "h" * 20


def found(sandbox: Running, key: str, value: str, region: str = "us-west-2") -> list[Any]:
    """The records of all pages, the newest first."""
    asked: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
        "MaxResults": 2,
    }
    trail, events = sandbox.client("cloudtrail", region_name=region), []
    while True:
        answer = trail.lookup_events(**asked)
        events += answer["Events"]
        if "NextToken" not in answer:
            return events
        asked["NextToken"] = answer["NextToken"]


def records(sandbox: Running, key: str, value: str, region: str = "us-west-2") -> list[Any]:
    return [json.loads(each["CloudTrailEvent"]) for each in found(sandbox, key, value, region)]


def refusal(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def test_a_call_is_found_by_each_attribute_with_its_record(sandbox: Running) -> None:
    ecr = sandbox.client("ecr")
    before = datetime.now(UTC).replace(microsecond=0)
    made = ecr.create_repository(repositoryName="team/web", tags=[{"Key": "a", "Value": "b"}])
    request = made["ResponseMetadata"]["RequestId"]
    learner = sandbox.learner
    (event,) = found(sandbox, "EventName", "CreateRepository")
    for key, value in [
        ("EventId", event["EventId"]),
        ("EventSource", "ecr.amazonaws.com"),
        ("Username", "learner"),
        ("AccessKeyId", learner["access_key_id"]),
        ("ReadOnly", "false"),
        ("ResourceName", f"{ARN}/team/web"),
        ("ResourceName", "team/web"),
        ("ResourceType", "AWS::ECR::Repository"),
    ]:
        assert event in found(sandbox, key, value), key
    assert found(sandbox, "ReadOnly", "no") == []
    record = json.loads(event["CloudTrailEvent"])
    at = datetime.fromisoformat(record.pop("eventTime"))
    assert before <= at <= datetime.now(UTC)
    assert event["EventTime"] == at
    assert record.pop("userAgent").startswith("Boto3/")
    assert record["responseElements"]["repository"].pop("createdAt")
    assert record == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": sandbox.client("sts").get_caller_identity()["UserId"],
            "arn": f"arn:aws:iam::{ACCOUNT}:user/learner",
            "accountId": ACCOUNT,
            "accessKeyId": learner["access_key_id"],
            "userName": "learner",
        },
        "eventSource": "ecr.amazonaws.com",
        "eventName": "CreateRepository",
        "awsRegion": "us-west-2",
        "sourceIPAddress": "127.0.0.1",
        "requestParameters": {"repositoryName": "team/web", "tags": [{"key": "a", "value": "b"}]},
        "responseElements": {
            "repository": {
                "repositoryArn": f"{ARN}/team/web",
                "registryId": ACCOUNT,
                "repositoryName": "team/web",
                "repositoryUri": f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/team/web",
                "imageTagMutability": "MUTABLE",
                "imageScanningConfiguration": {"scanOnPush": False},
                "encryptionConfiguration": {"encryptionType": "AES256"},
            }
        },
        "requestID": request,
        "eventID": event["EventId"],
        "readOnly": False,
        "resources": [
            {"accountId": ACCOUNT, "type": "AWS::ECR::Repository", "ARN": f"{ARN}/team/web"}
        ],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }


def test_refused_calls_are_there_with_code_and_words(sandbox: Running) -> None:
    iam = sandbox.client("iam", region_name="us-east-1")
    iam.create_user(UserName="nobody")
    keys = keys_of(iam.create_access_key(UserName="nobody")["AccessKey"])
    refusal(sandbox.client("ecr", **keys).describe_repositories)
    refusal(sandbox.client("sqs", **keys).create_queue, QueueName="q")
    refusal(sandbox.client("ecr").describe_images, repositoryName="missing")
    denied = records(sandbox, "Username", "nobody")
    assert [(each["eventName"], each["errorCode"]) for each in denied] == [
        ("CreateQueue", "AccessDeniedException"),
        ("DescribeRepositories", "AccessDeniedException"),
    ]
    assert all("is not authorized to perform" in each["errorMessage"] for each in denied)
    (missing,) = records(sandbox, "ResourceName", "missing")
    assert missing["errorCode"] == "RepositoryNotFoundException"
    assert (missing["readOnly"], missing["responseElements"]) == (True, None)


def test_the_calls_of_iam_are_in_its_own_region(sandbox: Running) -> None:
    sandbox.client("iam", region_name="us-east-1").create_group(GroupName="readers")
    assert records(sandbox, "EventName", "CreateGroup") == []
    (event,) = records(sandbox, "EventName", "CreateGroup", "us-east-1")
    assert event["requestParameters"] == {"groupName": "readers"}


def test_a_session_of_a_role_names_its_issuer(sandbox: Running) -> None:
    iam = sandbox.client("iam", region_name="us-east-1")
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="deploy",
        Path="/ci/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Role"]
    taken = sandbox.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="job-7")
    keys = keys_of(taken["Credentials"])
    sandbox.client("sts", **keys).get_caller_identity()
    (event,) = records(sandbox, "Username", "job-7")
    identity = event["userIdentity"]
    assert (identity["type"], identity["arn"]) == ("AssumedRole", taken["AssumedRoleUser"]["Arn"])
    assert identity["sessionContext"]["sessionIssuer"] == {
        "type": "Role",
        "principalId": role["RoleId"],
        "arn": role["Arn"],
        "accountId": ACCOUNT,
        "userName": "deploy",
    }


def test_no_record_holds_a_secret(sandbox: Running) -> None:
    kms, iam = sandbox.client("kms"), sandbox.client("iam", region_name="us-east-1")
    sandbox.client("secretsmanager").create_secret(Name="s", SecretString=SECRET)
    sandbox.client("ssm").put_parameter(Name="p", Value=SECRET, Type="SecureString")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=SECRET.encode())["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=sealed)
    iam.create_user(UserName="keyed")
    made = iam.create_access_key(UserName="keyed")["AccessKey"]
    session = sandbox.client("sts").get_session_token()["Credentials"]
    token = sandbox.client("ecr").get_authorization_token()["authorizationData"][0]
    shown = json.dumps(
        [
            each["CloudTrailEvent"]
            for region in ("us-west-2", "us-east-1")
            for each in found(sandbox, "Username", "learner", region)
        ]
    )
    assert "PutParameter" in shown
    assert "CreateAccessKey" in shown
    for secret in (
        SECRET,
        base64.b64encode(SECRET.encode()).decode(),
        made["SecretAccessKey"],
        session["SecretAccessKey"],
        session["SessionToken"],
        token["authorizationToken"],
        sandbox.learner["secret_access_key"],
    ):
        assert secret not in shown


def test_data_events_are_not_in_the_history(sandbox: Running) -> None:
    s3, sqs = sandbox.client("s3"), sandbox.client("sqs")
    s3.create_bucket(
        Bucket="history-1", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    s3.put_object(Bucket="history-1", Key="k", Body=b"x")
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    assert len(records(sandbox, "EventName", "CreateBucket")) == 1
    for name in ("PutObject", "SendMessage"):
        assert records(sandbox, "EventName", name) == []


def test_a_push_is_there_call_by_call(sandbox: Running) -> None:
    ecr = sandbox.client("ecr")
    ecr.create_repository(repositoryName="pushed")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    headers = {
        "Authorization": f"Basic {token}",
        "Host": f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com",
        "User-Agent": "docker/28.0",
    }
    layer = b"a layer"
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    status, answer, _ = sandbox.ask("POST", "/v2/pushed/blobs/uploads/", b"", headers)
    assert status == 202
    place = "/v2/" + answer["location"].partition("/v2/")[2]
    status, _, _ = sandbox.ask("PUT", f"{place}?digest={digest}", layer, headers)
    assert status == 201
    sandbox.ask("PUT", "/v2/pushed/manifests/v1", b"no manifest", headers)
    seen = [
        (each["eventName"], each["requestParameters"], each.get("errorCode"), each["userAgent"])
        for each in records(sandbox, "ResourceName", "pushed")
    ][:-1]
    named = {"registryId": ACCOUNT, "repositoryName": "pushed"}
    assert {name: (params, bool(code)) for name, params, code, _ in seen} == {
        "InitiateLayerUpload": (named, False),
        "UploadLayerPart": (named, False),
        "CompleteLayerUpload": (named, False),
        "PutImage": ({**named, "imageTag": "v1"}, True),
    }
    assert {agent for *_, agent in seen} == {"docker/28.0"}


def test_what_a_stack_makes_is_there_as_calls_of_their_own(sandbox: Running) -> None:
    resource = {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "stacked"}}
    text = json.dumps({"Resources": {"A": resource}})
    sandbox.client("cloudformation").create_stack(StackName="s", TemplateBody=text)
    assert len(records(sandbox, "EventName", "CreateStack")) == 1
    (event,) = records(sandbox, "ResourceName", "stacked")
    assert (event["eventName"], event["eventSource"]) == ("CreateRepository", "ecr.amazonaws.com")
    assert event["userIdentity"]["userName"] == "learner"


def test_times_bound_a_lookup(sandbox: Running) -> None:
    trail = sandbox.client("cloudtrail")
    sandbox.client("ecr").describe_registry()
    now = datetime.now(UTC)
    names = [
        each["EventName"]
        for each in trail.lookup_events(StartTime=now - timedelta(minutes=5))["Events"]
    ]
    assert "DescribeRegistry" in names
    assert trail.lookup_events(StartTime=now + timedelta(minutes=5))["Events"] == []
    assert trail.lookup_events(EndTime=now - timedelta(days=1))["Events"] == []
    code = refusal(trail.lookup_events, StartTime=now, EndTime=now - timedelta(days=1))
    assert code == "InvalidTimeRangeException"


def test_what_is_no_lookup_is_refused(sandbox: Running) -> None:
    trail = sandbox.client("cloudtrail")
    one = {"AttributeKey": "EventName", "AttributeValue": "GetTrail"}
    assert refusal(trail.lookup_events, LookupAttributes=[one, one]) == (
        "InvalidLookupAttributesException"
    )
    sandbox.client("ecr").describe_registry()
    token = trail.lookup_events(MaxResults=1)["NextToken"]
    assert refusal(trail.lookup_events, NextToken=token, LookupAttributes=[one]) == (
        "InvalidNextTokenException"
    )
    assert refusal(trail.lookup_events, EventCategory="insight") == "NotInSandbox"
    assert refusal(trail.get_trail, Name="mine") == "TrailNotFoundException"
    assert trail.list_trails()["Trails"] == []
    assert refusal(trail.create_trail, Name="mine", S3BucketName="logs") == "NotInSandbox"


def test_a_rule_hears_of_calls_that_change_something(sandbox: Running) -> None:
    sqs, events, ecr = map(sandbox.client, ("sqs", "events", "ecr"))
    queue = sqs.create_queue(QueueName="calls")["QueueUrl"]
    arn = f"arn:aws:sqs:us-west-2:{ACCOUNT}:calls"
    service = {"Service": "events.amazonaws.com"}
    allowed = {"Effect": "Allow", "Principal": service, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    pattern = {"source": ["aws.ecr"], "detail-type": ["AWS API Call via CloudTrail"]}
    events.put_rule(Name="calls", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="calls", Targets=[{"Id": "1", "Arn": arn}])
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.ecr"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": arn}])
    ecr.describe_repositories()
    ecr.create_repository(repositoryName="heard")
    code = refusal(ecr.delete_repository, repositoryName="absent")
    heard: list[Any] = []
    while len(heard) < 2:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20, MaxNumberOfMessages=10)
        heard += (json.loads(each["Body"]) for each in answer["Messages"])
    assert len(heard) == 2, "the rule that names no detail-type hears of no call"
    made, refused = sorted(heard, key=lambda one: one["detail"]["eventName"])
    assert {name: made[name] for name in ("source", "detail-type", "account", "region")} == {
        "source": "aws.ecr",
        "detail-type": "AWS API Call via CloudTrail",
        "account": ACCOUNT,
        "region": "us-west-2",
    }
    assert [made["detail"]] == records(sandbox, "ResourceName", "heard")
    assert (refused["detail"]["eventName"], refused["detail"]["errorCode"]) == (
        "DeleteRepository",
        code,
    )
    for name in ("calls", "all"):
        events.disable_rule(Name=name)
