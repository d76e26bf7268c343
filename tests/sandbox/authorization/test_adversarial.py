"""Nothing that a client sends switches the decision off, moves it, or picks another account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4QueryAuth

from tests.policies import allow, deny
from tests.sandbox.authorization.crook import Crook
from tests.sandbox.authorization.people_here import ACCOUNT, OTHER, People
from tests.sandbox.sandbox_process import REGION, Running

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"Content-Type": "application/x-amz-json-1.1"}


@pytest.fixture(scope="module")
def crook(people: People) -> Crook:
    """May look at users and projects, and change nothing."""
    person = people.make(
        "crook", allow("iam:Get*", "iam:List*", "eks:Describe*", "codebuild:BatchGet*")
    )
    return Crook(person)


@pytest.fixture(scope="module")
def nobody(people: People) -> Crook:
    return Crook(people.make("nobody"))


CREATE = b"Action=CreateUser&UserName=mallory&Version=2010-05-08"
LIST = b"Action=ListUsers&Version=2010-05-08"


def there_is_no_mallory(sandbox: Running) -> bool:
    users = sandbox.client("iam").list_users()["Users"]
    return "mallory" not in [user["UserName"] for user in users]


TWO_ACTIONS = [
    ({"path": "/?Action=ListUsers&Version=2010-05-08", "body": CREATE}, "MalformedQueryString"),
    ({"path": "/?Action=CreateUser&UserName=mallory", "body": LIST}, "MalformedQueryString"),
    ({"body": LIST + b"&Action=CreateUser&UserName=mallory"}, "MalformedQueryString"),
    ({"body": LIST, "headers": {"X-Amz-Target": "x.CreateUser"}}, "ListUsersResponse"),
    ({"body": LIST, "unsigned": {"Action": "CreateUser", "UserName": "mallory"}}, "ListUsersRes"),
    ({"body": CREATE, "headers": {"X-Amz-Target": "x.ListUsers"}}, "AccessDenied"),
    ({"body": b'{"a": "&Action=CreateUser&UserName=mallory"}'}, "AccessDenied"),
    ({"body": CREATE, "headers": {"Content-Type": "text/plain"}}, "AccessDenied"),
    ({"body": CREATE, "headers": {"Content-Type": "application/json"}}, "AccessDenied"),
    ({"method": "GET", "body": CREATE, "path": "/?Action=ListUsers&Version=2010-05-08"}, "ListUs"),
    ({"method": "PUT", "body": CREATE}, "AccessDenied"),
]


@pytest.mark.parametrize(("sent", "answer"), TWO_ACTIONS)
def test_a_request_means_one_operation_to_the_decision_and_to_the_deed(
    crook: Crook, sandbox: Running, sent: dict[str, Any], answer: str
) -> None:
    told = crook.send("iam", **{**sent, "headers": {**FORM, **sent.get("headers", {})}})
    assert answer in told.body
    assert there_is_no_mallory(sandbox)


def test_a_presigned_call_is_decided_too(crook: Crook, sandbox: Running) -> None:
    path = "/?Action=CreateUser&UserName=mallory&Version=2010-05-08"
    told = crook.send("iam", "GET", path, signer=SigV4QueryAuth)
    assert (told.status, "AccessDenied" in told.body) == (403, True)
    assert there_is_no_mallory(sandbox)


def test_a_json_string_is_no_form(crook: Crook, sandbox: Running) -> None:
    codebuild = sandbox.client("codebuild")
    body = json.dumps({"names": ["x"], "note": "&Action=DeleteProject&name=x&"}).encode()
    headers = {**JSON, "X-Amz-Target": "CodeBuild_20161006.BatchGetProjects"}
    told = crook.send("codebuild", body=body, headers=headers)
    assert (told.status, json.loads(told.body)["projects"]) == (200, [])
    assert codebuild.list_projects()["projects"] == []


@pytest.mark.parametrize(
    "unsigned",
    [
        {"Action": "ListProjects"},
        {"X_Amz_Target": "CodeBuild_20161006.BatchGetProjects"},
        {"X-Amz_Target": "CodeBuild_20161006.BatchGetProjects"},
    ],
)
def test_a_header_that_looks_like_another_names_no_operation(
    crook: Crook, unsigned: dict[str, str]
) -> None:
    headers = {**JSON, "X-Amz-Target": "CodeBuild_20161006.ListProjects"}
    told = crook.send("codebuild", body=b"{}", headers=headers, unsigned=unsigned)
    assert json.loads(told.body)["__type"] == "AccessDeniedException"


def test_an_operation_has_one_name_only(people: People, sandbox: Running) -> None:
    """A deny of sqs:CreateQueue, or an allow of it only, is for whatever moto takes for it."""
    person = people.make("queues", allow("sqs:*"), deny("sqs:CreateQueue", "lambda:DeleteFunction"))
    crook = Crook(person)
    for name in ("Create_Queue", "createQueue", "Createqueue", "create_queue", " CreateQueue"):
        body = f"Action={name}&QueueName=stolen&Version=2012-11-05".encode()
        told = crook.send("sqs", body=body, headers=FORM)
        assert told.status >= 400, told
        target = {**JSON, "X-Amz-Target": f"AmazonSQS.{name}"}
        told = crook.send("sqs", body=b'{"QueueName": "stolen"}', headers=target)
        assert told.status >= 400, told
    assert "QueueUrls" not in sandbox.client("sqs").list_queues()


def test_a_header_given_twice_does_not_name_a_second_operation(crook: Crook) -> None:
    headers = {**JSON, "X-Amz-Target": "CodeBuild_20161006.BatchGetProjects"}
    again = {"x-amz-target": "CodeBuild_20161006.ListProjects"}
    told = crook.send("codebuild", body=b'{"names": ["x"]}', headers=headers, unsigned=again)
    assert json.loads(told.body)["__type"] == "InvalidSignatureException"


def test_s3_control_is_not_reached_through_a_bucket_of_its_name(people: People) -> None:
    reader = Crook(people.make("control", allow("s3:GetObject", "s3:ListBucket")))
    for path in ("/v20180820/accesspoint", "/v20180820", "//v20180820/accesspoint"):
        told = reader.send("s3", "GET", path, signer=S3SigV4Auth)
        assert told.status in (400, 501), told


def test_a_parameter_of_the_path_cannot_be_given_again_in_the_query(
    people: People,
) -> None:
    """There are no clusters: the answer says which one was looked for."""
    mine = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/mine"
    crook = Crook(people.make("eks", allow("eks:DescribeCluster", on=mine)))
    for query, body in (("?name=theirs", b""), ("", b'{"name": "theirs"}')):
        told = crook.send("eks", "GET", f"/clusters/mine{query}", body)
        assert told.status == 404
        assert json.loads(told.body)["message"] == "No cluster found for name: mine."
    told = crook.send("eks", "GET", "/clusters/theirs?name=mine")
    assert json.loads(told.body)["__type"] == "AccessDeniedException"


@pytest.mark.parametrize(
    "unsigned",
    [{"X-Moto-Account-Id": OTHER}, {"x-moto-account-id": OTHER}, {"X_Moto_Account_Id": OTHER}],
)
def test_no_header_picks_another_account(
    crook: Crook, people: People, unsigned: dict[str, str]
) -> None:
    people.of_account(OTHER)
    told = crook.send("iam", body=LIST, headers=FORM, unsigned=unsigned)
    assert "user/crook" in told.body
    assert OTHER not in told.body


@pytest.mark.parametrize("path", ["/moto-api/reset", "/%6doto-api/reset", "//moto-api/reset"])
def test_motos_own_doors_are_shut(nobody: Crook, sandbox: Running, path: str) -> None:
    status, _, _ = sandbox.ask("POST", path)
    assert status >= 400
    for service in ("moto_api", "motoapi", "moto-api", "s3", "iam"):
        told = nobody.send(service, "POST", path)
        assert told.status >= 400, told
    assert "nobody" in [user["UserName"] for user in sandbox.client("iam").list_users()["Users"]]


SERVICES = ["IAM", "Iam", "api.ecr", "ECR", "Ecr", "iam.amazonaws.com/x", "instance_metadata", "*"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_spelled_in_another_way_is_none(
    nobody: Crook, sandbox: Running, service: str
) -> None:
    told = nobody.send(service, body=CREATE, headers=FORM)
    assert 400 <= told.status <= 501
    assert there_is_no_mallory(sandbox)
    target = "AmazonEC2ContainerRegistry_V20150921.CreateRepository"
    body = b'{"repositoryName": "mallory"}'
    told = nobody.send(service, body=body, headers={**JSON, "X-Amz-Target": target})
    assert 400 <= told.status <= 501
    assert sandbox.client("ecr").describe_repositories()["repositories"] == []


@pytest.mark.parametrize("region", ["amazonaws.com", "us-west-2.amazonaws.com", "US-WEST-2", "*"])
def test_a_region_that_is_none_goes_nowhere(nobody: Crook, region: str) -> None:
    told = nobody.send("iam", body=LIST, headers=FORM, region=region)
    assert 400 <= told.status <= 501


@pytest.mark.parametrize(
    ("host", "unsigned"),
    [
        ("codebuild.eu-west-1.amazonaws.com", {}),
        ("", {"User-Agent": "aws-cli/2 region/eu-west-1 x"}),
        ("", {"X-Forwarded-Host": "codebuild.eu-west-1.amazonaws.com"}),
    ],
)
def test_the_region_is_the_one_that_was_signed(
    people: People, sandbox: Running, host: str, unsigned: dict[str, str]
) -> None:
    here = {"StringEquals": {"aws:RequestedRegion": REGION}}
    name = f"region{len(host)}{len(unsigned)}{len(str(unsigned))}"
    person = people.make(name, allow("logs:*", Condition=here))
    headers = {**JSON, "X-Amz-Target": "Logs_20140328.CreateLogGroup"}
    body = json.dumps({"logGroupName": f"/{name}"}).encode()
    told = Crook(person).send("logs", body=body, headers=headers, host=host, unsigned=unsigned)
    assert told.status == 200, told
    groups = sandbox.client("logs").describe_log_groups(logGroupNamePrefix=f"/{name}")["logGroups"]
    assert [group["logGroupName"] for group in groups] == [f"/{name}"]


class TestBuckets:
    @pytest.fixture(scope="class")
    @staticmethod
    def owner(people: People, sandbox: Running) -> Crook:
        """May read `open-bucket`, and nothing of `shut-bucket`."""
        s3 = sandbox.client("s3")
        for name in ("open-bucket", "shut-bucket"):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_object(Bucket=name, Key="k", Body=name.encode())
        person = people.make("reader", allow("s3:GetObject", on="arn:aws:s3:::open-bucket/*"))
        return Crook(person)

    @pytest.mark.parametrize(
        ("path", "host"),
        [
            ("/shut-bucket/k", ""),
            ("//shut-bucket/k", ""),
            ("/open-bucket/../shut-bucket/k", ""),
            ("/open-bucket/%2e%2e/shut-bucket/k", ""),
            ("/open-bucket%2F..%2Fshut-bucket/k", ""),
            ("/shut-bucket%2Fk", ""),
            ("/k", "shut-bucket.s3.us-west-2.amazonaws.com"),
            ("/open-bucket/k", "shut-bucket.s3.amazonaws.com"),
            ("/shut-bucket/k", "s3.us-west-2.amazonaws.com"),
            ("/k?x=.s3.amazonaws.com", "shut-bucket.s3.eu-west-1.amazonaws.com"),
        ],
    )
    def test_no_spelling_reads_another_bucket(self, owner: Crook, path: str, host: str) -> None:
        told = owner.send("s3", "GET", path, signer=S3SigV4Auth, host=host)
        assert told.status in (400, 403, 404, 501)
        assert told.body != "shut-bucket"

    @pytest.mark.parametrize(
        ("path", "host"),
        [
            ("/open-bucket/k", ""),
            ("/k", "open-bucket.s3.us-west-2.amazonaws.com"),
        ],
    )
    def test_every_spelling_reads_its_own(self, owner: Crook, path: str, host: str) -> None:
        told = owner.send("s3", "GET", path, signer=S3SigV4Auth, host=host)
        assert (told.status, told.body) == (200, "open-bucket")

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/open-bucket/k?acl"),
            ("GET", "/open-bucket/k?%61cl"),
            ("GET", "/open-bucket/k?tagging&x-id=GetObject"),
            ("GET", "/open-bucket/k?uploadId=1"),
            ("GET", "/open-bucket?policy"),
            ("DELETE", "/open-bucket/k"),
            ("PUT", "/open-bucket?policy"),
            ("PUT", "/open-bucket?acl"),
            ("POST", "/open-bucket?delete"),
            ("POST", "/open-bucket/k?uploads"),
            ("POST", "/open-bucket"),
            ("OPTIONS", "/open-bucket/k"),
            ("PATCH", "/open-bucket/k"),
        ],
    )
    def test_a_sub_resource_is_another_permission(
        self, owner: Crook, sandbox: Running, method: str, path: str
    ) -> None:
        body = b"<Delete><Object><Key>k</Key></Object></Delete>" if "delete" in path else b""
        told = owner.send("s3", method, path, body, signer=S3SigV4Auth)
        assert told.status in (400, 403, 501), told
        kept = sandbox.client("s3").get_object(Bucket="open-bucket", Key="k")["Body"].read()
        assert kept == b"open-bucket"

    def test_two_sub_resources_are_refused(self, owner: Crook) -> None:
        told = owner.send("s3", "GET", "/open-bucket/k?acl&tagging", signer=S3SigV4Auth)
        assert told.status == 400
        assert "Conflicting query string parameters: acl, tagging" in told.body

    def test_a_copy_from_a_shut_bucket_by_any_spelling(self, people: People) -> None:
        writer = Crook(people.make("writer", allow("s3:PutObject", "s3:GetObject",
                                                   on="arn:aws:s3:::open-bucket/*")))  # fmt: skip
        for source in ("shut-bucket/k", "/shut-bucket/k", "shut-bucket%2Fk", "//shut-bucket/k"):
            told = writer.send(
                "s3",
                "PUT",
                "/open-bucket/stolen",
                headers={"x-amz-copy-source": source},
                signer=S3SigV4Auth,
            )
            assert told.status in (400, 403, 404), (source, told)

    def test_a_bucket_nobody_signed_for_stays_shut(self, owner: Crook, sandbox: Running) -> None:
        status, _, _ = sandbox.ask("GET", "/open-bucket/k")
        assert status == 403
