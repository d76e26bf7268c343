"""What ends when a right is taken away: tokens of a registry, and the URLs of layers.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html: a token has the rights of
its principal, and lasts twelve hours. A layer's URL is a presigned URL, which needs no right.
"""

import base64
import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running, keys_of

HOST = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
POLICY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser"
INVALID = (400, "Your Authorization Token is invalid.")


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = sandbox_process.start(
        tmp_path_factory.mktemp("labs"), LABS_CLOCK="2026-11-02T09:00:00Z"
    )
    running.client("ecr").create_repository(repositoryName="demo")
    yield running
    running.stop()


def token(labs: Running, **keys: str) -> str:
    data = labs.client("ecr", **keys).get_authorization_token()["authorizationData"]
    found: str = data[0]["authorizationToken"]
    return found


def tags(labs: Running, token: str) -> tuple[int, str]:
    """Status and, for an error, message of a look at the repository's tags."""
    headers = {"Host": HOST, "Authorization": f"Basic {token}"}
    status, _, body = labs.ask("GET", "/v2/demo/tags/list", None, headers)
    return status, "" if status == 200 else json.loads(body)["errors"][0]["message"]


def user(labs: Running, name: str) -> dict[str, str]:
    iam = labs.client("iam")
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=POLICY)
    return keys_of(iam.create_access_key(UserName=name)["AccessKey"])


def remove(labs: Running, name: str, key: str) -> None:
    iam = labs.client("iam")
    iam.detach_user_policy(UserName=name, PolicyArn=POLICY)
    iam.delete_access_key(UserName=name, AccessKeyId=key)
    iam.delete_user(UserName=name)


def test_a_token_loses_the_rights_that_its_user_loses(labs: Running) -> None:
    made = token(labs, **user(labs, "changed"))
    assert tags(labs, made) == (200, "")
    labs.client("iam").detach_user_policy(UserName="changed", PolicyArn=POLICY)
    status, message = tags(labs, made)
    assert (status, "is not authorized to perform: ecr:ListImages" in message) == (403, True)


def test_a_token_outlives_the_access_key_that_asked_for_it(labs: Running) -> None:
    keys = user(labs, "rotated")
    made = token(labs, **keys)
    labs.client("iam").update_access_key(
        UserName="rotated", AccessKeyId=keys["aws_access_key_id"], Status="Inactive"
    )
    assert tags(labs, made) == (200, "")


def test_a_token_of_a_deleted_user_is_invalid_also_for_a_user_of_that_name(labs: Running) -> None:
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages"}
    text = json.dumps({"Version": "2012-10-17", "Statement": everybody})
    ecr = labs.client("ecr")
    ecr.set_repository_policy(repositoryName="demo", policyText=text)
    keys = user(labs, "leaver")
    made = token(labs, **keys)
    remove(labs, "leaver", keys["aws_access_key_id"])
    assert tags(labs, made) == INVALID
    again = user(labs, "leaver")
    assert tags(labs, made) == INVALID
    assert tags(labs, token(labs, **again)) == (200, "")
    ecr.delete_repository_policy(repositoryName="demo")


def test_a_token_of_a_role_ends_with_the_role_and_not_with_the_session(labs: Running) -> None:
    iam = labs.client("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "123456789012"}}
    iam.create_role(
        RoleName="pusher",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}),
    )
    iam.attach_role_policy(RoleName="pusher", PolicyArn=POLICY)
    session: dict[str, Any] = labs.client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/pusher",
        RoleSessionName="ci",
        DurationSeconds=900,
    )
    made = token(labs, **keys_of(session["Credentials"]))
    labs.control("POST", "clock", {"advance_seconds": 3600})
    assert tags(labs, made) == (200, "")
    iam.detach_role_policy(RoleName="pusher", PolicyArn=POLICY)
    iam.delete_role(RoleName="pusher")
    assert tags(labs, made) == INVALID


def test_a_layers_url_needs_no_right_and_lasts_an_hour(labs: Running) -> None:
    keys = user(labs, "puller")
    ecr = labs.client("ecr", **keys)
    layer = b"a layer"
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    upload = {"repositoryName": "demo"}
    upload["uploadId"] = ecr.initiate_layer_upload(repositoryName="demo")["uploadId"]
    ecr.upload_layer_part(
        **upload, partFirstByte=0, partLastByte=len(layer) - 1, layerPartBlob=layer
    )
    ecr.complete_layer_upload(**upload, layerDigests=[digest])
    url = ecr.get_download_url_for_layer(repositoryName="demo", layerDigest=digest)["downloadUrl"]
    remove(labs, "puller", keys["aws_access_key_id"])
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == layer
    labs.control("POST", "clock", {"advance_seconds": 3601})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    assert (refused.value.code, refused.value.read()) == (403, b"Request has expired\n")


def test_every_token_ends_after_twelve_hours(labs: Running) -> None:
    made = token(labs)
    assert base64.b64decode(made).startswith(b"AWS:")
    labs.control("POST", "clock", {"advance_seconds": 12 * 3600})
    words = "Your authorization token has expired. Reauthenticate and try again."
    assert tags(labs, made) == (403, words)
