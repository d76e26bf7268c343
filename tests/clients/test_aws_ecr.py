"""The real ``aws`` command and boto3 against ECR, over HTTP: the documentation's own lines."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from labs_helpers.sandbox import assembly
from labs_helpers.sandbox.door.http import Server, serves

ACCOUNT, REGION = "123456789012", "us-west-2"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
Aws = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Sandbox:
    """Where it listens, and the learner's key."""

    endpoint: str
    key: str
    secret: str


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """The sandbox as it is, on a port of its own, its clock standing."""
    built = assembly.build(tmp_path, 0, "test", datetime(2026, 11, 2, 9, tzinfo=UTC))
    learner = json.loads((tmp_path / "learner.json").read_text())
    server = Server(0, built.application)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield Sandbox(
        f"http://127.0.0.1:{serves(server)}",
        learner["access_key_id"],
        learner["secret_access_key"],
    )
    server.stop()
    thread.join()
    built.store.close()


@pytest.fixture
def aws(sandbox: Sandbox, tmp_path: Path) -> Aws:
    """``aws("ecr", "describe-repositories")``, in an environment of its own."""
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": sandbox.endpoint,
        "AWS_ACCESS_KEY_ID": sandbox.key,
        "AWS_SECRET_ACCESS_KEY": sandbox.secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_DEFAULT_OUTPUT": "json",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["aws", *arguments], env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def ecr(sandbox: Sandbox) -> Any:
    """boto3's client."""
    return boto3.client(
        "ecr",
        endpoint_url=sandbox.endpoint,
        region_name=REGION,
        aws_access_key_id=sandbox.key,
        aws_secret_access_key=sandbox.secret,
    )


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_life_of_a_repository(aws: Aws) -> None:
    name = ("--repository-name", "demo-app-repo")
    made = answer(aws("ecr", "create-repository", *name))["repository"]
    assert made["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/demo-app-repo"
    assert answer(aws("ecr", "describe-repositories"))["repositories"] == [made]
    assert answer(aws("ecr", "describe-images", *name)) == {"imageDetails": []}
    twice = aws("ecr", "create-repository", *name)
    assert twice.returncode != 0
    assert twice.stderr.strip().endswith(
        "An error occurred (RepositoryAlreadyExistsException) when calling the CreateRepository "
        "operation: The repository with name 'demo-app-repo' already exists in the registry with "
        f"id '{ACCOUNT}'"
    )
    scanning = ("--image-scanning-configuration", "scanOnPush=true")
    assert answer(aws("ecr", "put-image-scanning-configuration", *name, *scanning))
    assert answer(aws("ecr", "delete-repository", *name, "--force"))


def test_the_login_password_is_the_tokens(aws: Aws) -> None:
    done = aws("ecr", "get-login-password", "--region", REGION)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) > 1000
    data = answer(aws("ecr", "get-authorization-token"))["authorizationData"][0]
    user, _, _ = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    assert user == "AWS"


def test_what_the_sandbox_does_not_have_is_said_at_once(aws: Aws) -> None:
    image = ("--repository-name", "demo", "--image-id", "imageTag=v1")
    done = aws("ecr", "describe-image-replication-status", *image)
    assert done.returncode != 0
    assert "(NotInSandbox) when calling the DescribeImageReplicationStatus operation" in done.stderr


def test_an_image_travels_by_the_api_alone(ecr: Any) -> None:
    ecr.create_repository(repositoryName="demo")
    blobs = {"config": b'{"os": "linux"}', "layer": b"the layer's bytes"}
    described = {}
    for role, data in blobs.items():
        upload = ecr.initiate_layer_upload(repositoryName="demo")["uploadId"]
        ecr.upload_layer_part(
            repositoryName="demo",
            uploadId=upload,
            partFirstByte=0,
            partLastByte=len(data) - 1,
            layerPartBlob=data,
        )
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        done = ecr.complete_layer_upload(
            repositoryName="demo", uploadId=upload, layerDigests=[digest]
        )
        assert done["layerDigest"] == digest
        described[role] = {"mediaType": f"application/{role}", "digest": digest, "size": len(data)}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described["config"],
            "layers": [described["layer"]],
        }
    )
    ecr.put_image(repositoryName="demo", imageManifest=manifest, imageTag="v1")

    (detail,) = (
        ecr.get_paginator("describe_images")
        .paginate(repositoryName="demo", PaginationConfig={"PageSize": 1})
        .build_full_result()["imageDetails"]
    )
    assert detail["imageDigest"] == f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    assert detail["imageSizeInBytes"] == sum(len(data) for data in blobs.values())
    assert detail["imagePushedAt"] == datetime(2026, 11, 2, 9, tzinfo=UTC)
    got = ecr.batch_get_image(repositoryName="demo", imageIds=[{"imageTag": "v1"}])["images"]
    assert got[0]["imageManifest"] == manifest
    url = ecr.get_download_url_for_layer(
        repositoryName="demo", layerDigest=described["layer"]["digest"]
    )["downloadUrl"]
    with urllib.request.urlopen(url) as response:
        assert response.read() == blobs["layer"]


def test_boto3_knows_the_errors(ecr: Any) -> None:
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.list_images(repositoryName="none")
    with pytest.raises(ClientError) as refused:
        ecr.describe_image_replication_status(repositoryName="none", imageId={"imageTag": "v1"})
    told = refused.value.response
    assert told["Error"]["Code"] == "NotInSandbox"
    assert told["ResponseMetadata"]["RetryAttempts"] == 0


IMAGE = ("--repository-name", "demo", "--image-id", "imageTag=v1")
SIGNED_BY = "arn:aws:signer:us-west-2:123456789012:/signing-profiles/labs"
SIGNING = json.dumps({"rules": [{"signingProfileArn": SIGNED_BY}]})


def test_signing_replication_and_ecr_public_are_refused_by_name(aws: Aws) -> None:
    for service, operation, *arguments in (
        ("ecr", "put-signing-configuration", "--signing-configuration", SIGNING),
        ("ecr", "get-signing-configuration"),
        ("ecr", "delete-signing-configuration"),
        ("ecr", "describe-image-signing-status", *IMAGE),
        ("ecr", "describe-image-replication-status", *IMAGE),
        ("ecr-public", "describe-repositories"),
        ("ecr-public", "create-repository", "--repository-name", "demo"),
        ("ecr-public", "get-authorization-token"),
    ):
        name = "".join(word.capitalize() for word in operation.split("-"))
        refused = aws(service, operation, *arguments)
        assert refused.returncode != 0, operation
        assert f"An error occurred (NotInSandbox) when calling the {name} operation" in (
            refused.stderr
        )
        assert f"{service}:{name}" in refused.stderr


def test_backfills_are_refused_by_name(ecr: Any) -> None:
    """By boto3: no version 1 of the command has them yet."""
    one = {"replicationBackfillId": "01234567-89ab-cdef-0123-456789abcdef"}
    for operation, given in {
        "StartReplicationBackfill": {"destination": {"region": "eu-west-1", "registryId": ACCOUNT}},
        "StopReplicationBackfill": one,
        "DescribeReplicationBackfillResults": one,
        "ListReplicationBackfills": {},
    }.items():
        with pytest.raises(ClientError) as refused:
            getattr(ecr, xform_name(operation))(**given)
        error = refused.value.response["Error"]
        assert (error["Code"], f"ecr:{operation}" in error["Message"]) == ("NotInSandbox", True)
