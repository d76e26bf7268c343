"""What temporary credentials may do after a key, a user, a role or a right is taken away.

They are valid until they expire, and their permissions are evaluated at each request:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
Sessions of a role are revoked by a policy on aws:TokenIssueTime:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
Tokens of registries and the URLs of layers: tests/sandbox/registry/test_rights_end.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running, keys_of

POLICY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess"
DENIED, UNKNOWN = "AccessDeniedException", "UnrecognizedClientException"


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = sandbox_process.start(tmp_path_factory.mktemp("labs"))
    yield running
    running.stop()


def looks(labs: Running, keys: dict[str, str]) -> str:
    """What DescribeRepositories answers to these credentials: "" or the code of its error."""
    try:
        labs.client("ecr", **keys).describe_repositories()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def statement(effect: str, **more: Any) -> str:
    found = {"Effect": effect, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [found]})


def test_a_session_of_a_user_ends_with_rights_and_user_and_not_with_the_key(labs: Running) -> None:
    iam = labs.client("iam")
    iam.create_user(UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=POLICY)
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    named = {"UserName": "ann", "AccessKeyId": key["AccessKeyId"]}
    session = keys_of(labs.client("sts", **keys_of(key)).get_session_token()["Credentials"])
    assert looks(labs, session) == ""
    iam.update_access_key(**named, Status="Inactive")
    assert (looks(labs, keys_of(key)), looks(labs, session)) == (UNKNOWN, "")
    iam.delete_access_key(**named)
    assert (looks(labs, keys_of(key)), looks(labs, session)) == (UNKNOWN, "")
    iam.detach_user_policy(UserName="ann", PolicyArn=POLICY)
    assert looks(labs, session) == DENIED
    iam.attach_user_policy(UserName="ann", PolicyArn=POLICY)
    assert looks(labs, session) == ""
    iam.detach_user_policy(UserName="ann", PolicyArn=POLICY)
    iam.delete_user(UserName="ann")
    assert looks(labs, session) == DENIED
    iam.create_user(UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=POLICY)
    assert looks(labs, session) == DENIED, "a user made again is another"


def test_a_session_of_a_role_ends_with_rights_and_role_and_not_with_the_trust(
    labs: Running,
) -> None:
    iam, account = labs.client("iam"), labs.learner["account"]
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    trust = statement("Allow", Principal=root, Action="sts:AssumeRole")
    role = {"RoleName": "release"}
    arn = iam.create_role(**role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.attach_role_policy(**role, PolicyArn=POLICY)
    sts = labs.client("sts")
    session = keys_of(sts.assume_role(RoleArn=arn, RoleSessionName="night")["Credentials"])
    denying = statement("Deny", Principal={"AWS": "*"}, Action="sts:AssumeRole")
    iam.update_assume_role_policy(**role, PolicyDocument=denying)
    assert looks(labs, session) == ""
    # what "Revoke active sessions" of the console attaches
    soon = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    older = {"DateLessThan": {"aws:TokenIssueTime": soon}}
    revoking = statement("Deny", Action="*", Resource="*", Condition=older)
    named = {**role, "PolicyName": "AWSRevokeOlderSessions"}
    iam.put_role_policy(**named, PolicyDocument=revoking)
    assert looks(labs, session) == DENIED
    iam.delete_role_policy(**named)
    assert looks(labs, session) == ""
    iam.detach_role_policy(**role, PolicyArn=POLICY)
    assert looks(labs, session) == DENIED
    iam.delete_role(**role)
    iam.create_role(**role, AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(**role, PolicyArn=POLICY)
    assert looks(labs, session) == DENIED, "a role made again is another"


def opened(labs: Running, url: str) -> tuple[int, str]:
    """Status of a presigned URL, and the code of the error that S3 answers with."""
    parts = urlsplit(url)
    status, _, body = labs.ask("GET", f"{parts.path}?{parts.query}", None, {"Host": parts.netloc})
    code = re.search(rb"<Code>(\w+)</Code>", body)
    return status, code[1].decode() if code else ""


def test_a_presigned_url_opens_what_its_signer_may_read_now(labs: Running) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html"""
    iam, s3 = labs.client("iam"), labs.client("s3")
    s3.create_bucket(
        Bucket="signed-for", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    s3.put_object(Bucket="signed-for", Key="page", Body=b"hello")
    read = statement("Allow", Action="s3:GetObject", Resource="arn:aws:s3:::signed-for/*")
    trust = statement("Allow", Action="sts:AssumeRole", Principal={"AWS": "123456789012"})
    iam.create_role(RoleName="signer", AssumeRolePolicyDocument=trust)
    iam.create_user(UserName="signer")
    give = {
        "role": lambda: iam.put_role_policy(
            RoleName="signer", PolicyName="read", PolicyDocument=read
        ),
        "user": lambda: iam.put_user_policy(
            UserName="signer", PolicyName="read", PolicyDocument=read
        ),
    }
    take = {
        "role": lambda: iam.delete_role_policy(RoleName="signer", PolicyName="read"),
        "user": lambda: iam.delete_user_policy(UserName="signer", PolicyName="read"),
    }
    key = iam.create_access_key(UserName="signer")["AccessKey"]
    assumed = labs.client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/signer", RoleSessionName="signs"
    )
    urls = {}
    for who, keys in (("role", keys_of(assumed["Credentials"])), ("user", keys_of(key))):
        give[who]()
        urls[who] = labs.client(
            "s3", config=Config(signature_version="s3v4"), **keys
        ).generate_presigned_url("get_object", {"Bucket": "signed-for", "Key": "page"})
        assert opened(labs, urls[who]) == (200, "")
        take[who]()
        assert opened(labs, urls[who]) == (403, "AccessDenied")
        give[who]()
        assert opened(labs, urls[who]) == (200, "")
    named = {"UserName": "signer", "AccessKeyId": key["AccessKeyId"]}
    iam.update_access_key(**named, Status="Inactive")
    assert opened(labs, urls["user"]) == (403, "InvalidAccessKeyId")
    iam.update_access_key(**named, Status="Active")
    assert opened(labs, urls["user"]) == (200, "")
    iam.delete_access_key(**named)
    assert opened(labs, urls["user"]) == (403, "InvalidAccessKeyId")
    take["role"]()
    iam.delete_role(RoleName="signer")
    assert opened(labs, urls["role"])[0] == 403
