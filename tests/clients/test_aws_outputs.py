"""Every operation of ECR through the real ``aws`` in each of its output forms.

No Python error of the command reaches a learner: of an answer that the command cannot page or
print it says, for example, 'NoneType' object does not support item assignment. The command runs by
its own entry point, many times in one process. It is version 1, whose forms are json, text and
table; version 2, which has yaml and another form of errors, is not on PyPI.
"""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import awscli
import boto3
import pytest
from botocore import xform_name
from botocore.config import Config

from labs_helpers.defaults import USER
from labs_helpers.oci import media_types
from labs_helpers.sandbox import assembly
from labs_helpers.sandbox.door.http import Server, serves
from tests.sandbox.ecr.operations.ecr_api import OPERATIONS
from tests.sandbox.ecr.operations.test_operations_complete import ABSENT

REGION = "us-west-2"
FORMS = ["json", "text", "table"]
NAME = ["--repository-name", "demo"]
NOWHERE = ["--repository-name", "nowhere"]
LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "imageCountMoreThan",
                    "countNumber": 1,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
    }
)
REGISTRY_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
                "Action": "ecr:ReplicateImage",
                "Resource": "arn:aws:ecr:us-west-2:123456789012:repository/*",
            }
        ],
    }
)
ARN = ["--resource-arn", "arn:aws:ecr:us-west-2:123456789012:repository/demo"]
IMAGE = ["--image-id", "imageTag=v1"]
CACHE = ["--ecr-repository-prefix", "quay"]
TEMPLATE = ["--prefix", "team"]
NOBODY = f"sha256:{'0' * 64}"
FILTERS = '[{"filter":"x","filterType":"WILDCARD"}]'
SCANNING = f'[{{"scanFrequency":"SCAN_ON_PUSH","repositoryFilters":{FILTERS}}}]'
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:ecr-pullthroughcache/quay-AbCdEf"
STANDARD = ["--target-storage-class", "STANDARD"]
USER_ARN = ["--principal-arn", f"arn:aws:iam::123456789012:user/{USER}"]

CALLS: dict[str, list[str]] = {
    "BatchCheckLayerAvailability": [*NAME, "--layer-digests", NOBODY, "nonsense"],
    "BatchDeleteImage": [*NAME, "--image-ids", "imageTag=gone"],
    "BatchGetImage": [*NAME, "--image-ids", "imageTag=v1", "imageTag=gone"],
    "BatchGetRepositoryScanningConfiguration": ["--repository-names", "demo", "nowhere"],
    "CompleteLayerUpload": [*NAME, "--upload-id", NOBODY[7:43], "--layer-digests", NOBODY],
    "CreatePullThroughCacheRule": [*CACHE, "--upstream-registry-url", "quay.io"],
    "CreateRepository": ["--repository-name", "made", "--tags", "Key=team,Value=blue"],
    "CreateRepositoryCreationTemplate": [*TEMPLATE, "--applied-for", "REPLICATION"],
    "DeleteLifecyclePolicy": NAME,
    "DeletePullThroughCacheRule": CACHE,
    "DeleteRegistryPolicy": [],
    "DeleteRepository": ["--repository-name", "made", "--force"],
    "DeleteRepositoryCreationTemplate": TEMPLATE,
    "DeleteRepositoryPolicy": NAME,
    "DeregisterPullTimeUpdateExclusion": USER_ARN,
    "DescribeImageScanFindings": [*NAME, *IMAGE],
    "DescribeImages": NAME,
    "DescribePullThroughCacheRules": [],
    "DescribeRegistry": [],
    "DescribeRepositories": [],
    "DescribeRepositoryCreationTemplates": [],
    "GetAccountSetting": ["--name", "BLOB_MOUNTING"],
    "GetAuthorizationToken": [],
    "GetDownloadUrlForLayer": [*NAME, "--layer-digest", NOBODY],
    "GetLifecyclePolicy": NAME,
    "GetLifecyclePolicyPreview": NAME,
    "GetRegistryPolicy": [],
    "GetRegistryScanningConfiguration": [],
    "GetRepositoryPolicy": NAME,
    "InitiateLayerUpload": NAME,
    "ListImageReferrers": [*NAME, "--subject-id", f"imageDigest={NOBODY}"],
    "ListImages": NAME,
    "ListPullTimeUpdateExclusions": [],
    "ListTagsForResource": ARN,
    "PutAccountSetting": ["--name", "BLOB_MOUNTING", "--value", "ENABLED"],
    "PutImage": [*NAME, "--image-manifest", "{}"],
    "PutImageScanningConfiguration": [
        *NAME,
        "--image-scanning-configuration",
        "scanOnPush=false",
    ],
    "PutImageTagMutability": [*NAME, "--image-tag-mutability", "MUTABLE"],
    "PutLifecyclePolicy": [*NAME, "--lifecycle-policy-text", LIFECYCLE],
    "PutRegistryPolicy": ["--policy-text", REGISTRY_POLICY],
    "PutRegistryScanningConfiguration": ["--scan-type", "BASIC", "--rules", SCANNING],
    "PutReplicationConfiguration": ["--replication-configuration", '{"rules":[]}'],
    "RegisterPullTimeUpdateExclusion": USER_ARN,
    "SetRepositoryPolicy": [*NAME, "--policy-text", POLICY],
    "StartImageScan": [*NAME, *IMAGE],
    "StartLifecyclePolicyPreview": NAME,
    "TagResource": [*ARN, "--tags", "Key=team,Value=blue"],
    "UntagResource": [*ARN, "--tag-keys", "colour"],
    "ValidatePullThroughCacheRule": CACHE,
    "UpdateImageStorageClass": [*NAME, "--image-id", "imageTag=v1", *STANDARD],
    "UpdatePullThroughCacheRule": [*CACHE, "--credential-arn", SECRET],
    "UpdateRepositoryCreationTemplate": [*TEMPLATE, "--description", "of the team"],
    "UploadLayerPart": [
        *(*NAME, "--upload-id", NOBODY[7:43], "--layer-part-blob", "YQ=="),
        *("--part-first-byte", "0", "--part-last-byte", "0"),
    ],
}  # fmt: skip

PAGED = [
    "DescribeImageScanFindings",
    "DescribeImages",
    "DescribePullThroughCacheRules",
    "DescribeRepositories",
    "DescribeRepositoryCreationTemplates",
    "ListImages",
]

#: The operations of the command's own model, which may be older than boto3's.
(MODEL,) = Path(awscli.__file__).parent.glob("botocore/data/ecr/*/service-2.json")
KNOWN = set(json.loads(MODEL.read_text())["operations"])

Aws = Callable[..., tuple[int, str, str]]


def push(ecr: Any, tag: str, diff_id: str | None = None) -> None:
    """A small image of Alpine; another diff_id than that of its layer makes its scan fail."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in (
            ("etc/os-release", "ID=alpine\nVERSION_ID=3.15.4\n"),
            ("lib/apk/db/installed", "P:zlib\nV:1.2.12-r0\nA:x86_64\no:zlib\n\n"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    layer = gzip.compress(buffer.getvalue(), mtime=0)
    named = diff_id or f"sha256:{hashlib.sha256(buffer.getvalue()).hexdigest()}"
    config = json.dumps({"architecture": "amd64", "rootfs": {"diff_ids": [named]}}).encode()
    parts = []
    for data in (config, layer):
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        known = ecr.batch_check_layer_availability(repositoryName="demo", layerDigests=[digest])
        if known["layers"][0]["layerAvailability"] == "UNAVAILABLE":
            upload = ecr.initiate_layer_upload(repositoryName="demo")["uploadId"]
            of_upload = {"repositoryName": "demo", "uploadId": upload}
            ecr.upload_layer_part(
                **of_upload, partFirstByte=0, partLastByte=len(data) - 1, layerPartBlob=data
            )
            ecr.complete_layer_upload(**of_upload, layerDigests=[digest])
        parts.append({"digest": digest, "size": len(data)})
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": {"mediaType": media_types.OCI_CONFIG, **parts[0]},
        "layers": [{"mediaType": media_types.OCI_LAYER_GZIP, **parts[1]}],
    }
    ecr.put_image(repositoryName="demo", imageManifest=json.dumps(manifest), imageTag=tag)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A sandbox with a repository, a scanned image, and one whose scan failed."""
    folder = tmp_path_factory.mktemp("labs")
    built = assembly.build(folder, 0, "test", datetime(2026, 11, 2, 9, tzinfo=UTC))
    learner = json.loads((folder / "learner.json").read_text())
    server = Server(0, built.application)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{serves(server)}"
    keys = {
        "aws_access_key_id": learner["access_key_id"],
        "aws_secret_access_key": learner["secret_access_key"],
    }
    ecr = boto3.session.Session().client(
        "ecr",
        endpoint_url=url,
        region_name=REGION,
        config=Config(retries={"max_attempts": 0}),
        **keys,
    )
    ecr.create_repository(repositoryName="demo", imageScanningConfiguration={"scanOnPush": True})
    push(ecr, "v1")
    push(ecr, "broken", NOBODY)
    for tag in ("v1", "broken"):
        asked = {"repositoryName": "demo", "imageId": {"imageTag": tag}}
        while ecr.describe_image_scan_findings(**asked)["imageScanStatus"]["status"] in (
            "PENDING",
            "IN_PROGRESS",
        ):
            pass
    yield url, keys
    server.stop()
    thread.join()
    built.close()


#: The command in one process of its own: argument lists come in, statuses and outputs go out.
LOOP = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
driver = create_clidriver()
for line in sys.stdin:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = driver.main(json.loads(line))
        except SystemExit as error:
            status = error.code
    said = [each.buffer.getvalue().decode() for each in (out, err)]
    print(json.dumps([status, *said]), flush=True)
"""


@pytest.fixture(scope="module")
def aws(
    endpoint: tuple[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Aws]:
    """``aws("describe-images", ...)``: the exit status, and what went to stdout and stderr."""
    url, keys = endpoint
    home = tmp_path_factory.mktemp("home")
    environ = {
        **{name.upper(): value for name, value in keys.items()},
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", LOOP]
    with subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(*arguments: str) -> tuple[int, str, str]:
            print(json.dumps(["ecr", *arguments]), file=process.stdin, flush=True)
            status, out, err = json.loads(process.stdout.readline())
            return status, out, err

        yield run
        process.stdin.close()


def words_of(operation: str) -> str:
    return xform_name(operation, "-")


def assert_said_well(status: int, err: str) -> None:
    """An answer, or an error of the service: never one of the command itself."""
    assert status in (0, 255), err
    if status == 255:
        assert err.lstrip().startswith("An error occurred ("), err
    else:
        assert err == ""
    assert "Traceback" not in err


def test_every_operation_that_the_sandbox_has_is_called() -> None:
    assert set(CALLS) == set(OPERATIONS)


@pytest.mark.parametrize("form", FORMS)
def test_every_answer_can_be_printed(aws: Aws, form: str) -> None:
    # what makes comes before what shows, what removes comes last
    """Reported as F14."""
    order = ("Create", "Register", "Put", "Update", "Set", "Tag", "Start", "Initiate", "Batch")
    order += ("Validate", "Describe", "Get", "List")
    ranked = sorted(
        CALLS, key=lambda name: next((n for n, o in enumerate(order) if name.startswith(o)), 99)
    )
    ok = set()
    for operation in ranked:
        status, _, err = aws(words_of(operation), *CALLS[operation], "--output", form)
        assert_said_well(status, err)
        if status == 0:
            ok.add(operation)
    refused = {"CompleteLayerUpload", "GetDownloadUrlForLayer", "PutImage", "StartImageScan"}
    refused |= {"UpdateImageStorageClass", "UpdatePullThroughCacheRule", "UploadLayerPart"}
    assert set(CALLS) - ok == refused


@pytest.mark.parametrize("operation", sorted(ABSENT & KNOWN))
def test_an_absent_operation_is_an_error_of_the_service(aws: Aws, operation: str) -> None:
    required = {
        "DescribeImageReplicationStatus": [*NAME, *IMAGE],
        "DescribeImageSigningStatus": [*NAME, *IMAGE],
        "PutSigningConfiguration": ["--signing-configuration", '{"rules":[]}'],
    }  # fmt: skip
    status, _, err = aws(words_of(operation), *required.get(operation, []))
    assert status == 255, err
    assert f"(NotInSandbox) when calling the {operation} operation" in err


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("operation", PAGED)
def test_pages_can_be_printed(aws: Aws, operation: str, form: str) -> None:
    for paging in (["--page-size", "1", "--max-items", "1"], ["--no-paginate"]):
        status, _, err = aws(words_of(operation), *CALLS[operation], *paging, "--output", form)
        assert_said_well(status, err)
        assert status == 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "paging", [[], ["--page-size", "1", "--max-items", "1"], ["--no-paginate"]]
)
def test_a_scan_that_failed_can_be_read(aws: Aws, form: str, paging: list[str]) -> None:
    """Reported as F14."""
    asked = [*NAME, "--image-id", "imageTag=broken", "--output", form, *paging]
    status, out, err = aws("describe-image-scan-findings", *asked)
    assert (status, err) == (0, "")
    assert "FAILED" in out
    assert "does not unpack to" in out.replace("\n", " ")
    status, out, err = aws("describe-image-scan-findings", *asked, "--query", "imageScanStatus")
    assert (status, err, "FAILED" in out) == (0, "", True)
    findings = ("--query", "imageScanFindings.findings")
    status, out, err = aws("describe-image-scan-findings", *asked, *findings)
    assert (status, err) == (0, "")


def test_queries_of_every_shape_are_answered(aws: Aws) -> None:
    for query in ("length(imageDetails)", "imageDetails[0]", "imageDetails[].imageTags", "none"):
        for form in FORMS:
            status, _, err = aws("describe-images", *NAME, "--query", query, "--output", form)
            assert (status, err) == (0, "")
