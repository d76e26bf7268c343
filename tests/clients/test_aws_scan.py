"""The real ``aws`` command, boto3's waiter and the `labs` command against a sandbox that scans."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from labs_helpers import gate, sbom
from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from tests.sandbox.sandbox_process import Running, start
from tests.sandbox.scanner.images import Entries, metadata, stand_in, tar

Aws = Callable[..., Any]
PYTHON: Entries = {"app/PyYAML-5.3.1.dist-info/METADATA": metadata("PyYAML", "5.3.1")}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("home"), LABS_CLOCK="2026-11-02T09:00:00Z")
    yield running
    running.stop()


@pytest.fixture
def ecr(sandbox: Running, request: pytest.FixtureRequest) -> Any:
    """boto3's client, with a repository named after the test."""
    client = sandbox.client("ecr")
    client.create_repository(
        repositoryName=repository(request), imageScanningConfiguration={"scanOnPush": True}
    )
    return client


@pytest.fixture
def demo(request: pytest.FixtureRequest) -> str:
    return repository(request)


def repository(request: pytest.FixtureRequest) -> str:
    return str(request.node.originalname).replace("_", "-")


@pytest.fixture
def environ(sandbox: Running) -> dict[str, str]:
    """A terminal in which the labs' environment was loaded."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LABS_"))
    }
    return inherited | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(sandbox.home),
        "LABS_HOME": str(sandbox.home),
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": sandbox.learner["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": sandbox.learner["secret_access_key"],
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1",
    }


def run(environ: dict[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def push(ecr: Any, demo: str, folder: Path, name: str, *above: Entries, tag: str = "v1") -> str:
    """One of the hub's images with layers on top; the digest of its manifest."""
    layers = [layer.path.read_bytes() for layer in stand_in(folder, name)]
    layers += [gzip.compress(tar(one), mtime=0) for one in above]
    diff_ids = [digests.of_bytes(gzip.decompress(one)) for one in layers]
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode()
    sent = [sbom._upload(ecr, gate.parse(demo), blob) for blob in (config, *layers)]
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": {
                "mediaType": media_types.OCI_CONFIG,
                "digest": sent[0],
                "size": len(config),
            },
            "layers": [
                {"mediaType": media_types.OCI_LAYER_GZIP, "digest": digest, "size": len(blob)}
                for digest, blob in zip(sent[1:], layers, strict=True)
            ],
        }
    )
    ecr.put_image(repositoryName=demo, imageManifest=manifest, imageTag=tag)
    return digests.of_bytes(manifest.encode())


def test_awss_own_lines_scan_wait_and_show(
    ecr: Any, demo: str, environ: dict[str, str], tmp_path: Path
) -> None:
    push(ecr, demo, tmp_path, "nginx-1.21-alpine")
    name = ("--repository-name", demo, "--image-id", "imageTag=v1")
    assert run(environ, "aws", "ecr", "wait", "image-scan-complete", *name).returncode == 0
    query = ("--query", "imageScanFindings.findingSeverityCounts", "--output", "json")
    done = run(environ, "aws", "ecr", "describe-image-scan-findings", *name, *query)
    assert json.loads(done.stdout) == {"CRITICAL": 7, "HIGH": 24, "MEDIUM": 20, "LOW": 3}
    again = run(environ, "aws", "ecr", "start-image-scan", *name)
    assert "(LimitExceededException) when calling the StartImageScan operation" in again.stderr


def test_boto3s_waiter_and_paginator(ecr: Any, demo: str, tmp_path: Path) -> None:
    push(ecr, demo, tmp_path, "debian-12.1")
    asked = {"repositoryName": demo, "imageId": {"imageTag": "v1"}}
    ecr.get_waiter("image_scan_complete").wait(**asked, WaiterConfig={"Delay": 1})
    pages = ecr.get_paginator("describe_image_scan_findings").paginate(
        **asked, PaginationConfig={"PageSize": 7}
    )
    found = [one["name"] for page in pages for one in page["imageScanFindings"]["findings"]]
    assert len(found) == len(set(found)) == 33 + 7


def test_the_gate_holds_the_old_base_and_lets_the_new_one_pass(
    ecr: Any, demo: str, environ: dict[str, str], tmp_path: Path
) -> None:
    for tag, name in (("old", "nginx-1.21-alpine"), ("new", "nginx-alpine")):
        push(ecr, demo, tmp_path, name, tag=tag)
    old = run(environ, "labs", "gate", f"{demo}:old")
    assert (old.returncode, old.stderr) == (3, "")
    assert old.stdout.endswith(f"{demo}:old does not pass: 7 CRITICAL, 24 HIGH at or above HIGH\n")
    new = run(environ, "labs", "gate", f"{demo}:new")
    assert new.returncode == 0
    assert new.stdout == (
        f"1 below HIGH are not listed.\n{demo}:new passes: nothing at or above HIGH\n"
    )


def test_the_gate_accepts_for_a_time(
    ecr: Any, demo: str, environ: dict[str, str], tmp_path: Path
) -> None:
    push(ecr, demo, tmp_path, "nginx-alpine")
    accepted = tmp_path / "accepted.yaml"
    entry = "- id: CVE-2025-60876\n  reason: wget is never called\n  expires: {}\n"
    command = ("labs", "gate", f"{demo}:v1", "--fail-on", "low", "--accept", str(accepted))
    accepted.write_text(entry.format("2026-11-02"))
    assert run(environ, *command).returncode == 0
    accepted.write_text(entry.format("2026-11-01"))
    late = run(environ, *command)
    assert late.returncode == 3
    assert "Expired on 2026-11-01: CVE-2025-60876 is no longer accepted." in late.stdout


def test_the_gate_fails_on_what_nobody_judged(
    ecr: Any, demo: str, environ: dict[str, str], tmp_path: Path
) -> None:
    push(ecr, demo, tmp_path, "ubuntu-26.04")
    done = run(environ, "labs", "gate", f"{demo}:v1", "--format", "json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["summary"].endswith("31 packages that nobody judged")


def test_the_gate_says_what_aws_says(environ: dict[str, str]) -> None:
    done = run(environ, "labs", "gate", "nothing-here:v1")
    assert done.returncode == 1
    assert "RepositoryNotFoundException" in done.stderr
    wrong = run(environ, "labs", "gate", "Not An Image")
    assert wrong.returncode == 1
    assert "names no image in ECR" in wrong.stderr


def test_an_sbom_is_a_referrer_of_its_image(
    ecr: Any, demo: str, environ: dict[str, str], tmp_path: Path
) -> None:
    digest = push(ecr, demo, tmp_path, "nginx-alpine", PYTHON)
    done = run(environ, "labs", "sbom", f"{demo}:v1", "--push")
    assert done.returncode == 0, done.stderr
    (referrer,) = ecr.list_image_referrers(repositoryName=demo, subjectId={"imageDigest": digest})[
        "referrers"
    ]
    assert referrer["artifactType"] == "application/vnd.cyclonedx+json"
    assert done.stdout == f"26 packages, attached to {demo}:v1 as {referrer['digest']}\n"


def test_an_sbom_is_cyclonedx_and_the_same_twice(ecr: Any, demo: str, tmp_path: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    digest = push(ecr, demo, tmp_path, "debian-12", PYTHON)
    image = gate.parse(f"{demo}:v1")
    now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    made = [sbom.document(image, *sbom.inventory(ecr, image), now) for _ in range(2)]
    assert made[0] == made[1]
    bom = json.loads(made[0])
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["metadata"]["component"]["version"] == digest
    purls = {one.get("purl") for one in bom["components"]}
    assert "pkg:pypi/pyyaml@5.3.1" in purls
    assert (
        "pkg:deb/debian/login@1:4.13%2Bdfsg1-1%2Bdeb12u2?arch=amd64&distro=debian-12&"
        "upstream=shadow" in purls
    )
    try:
        validator = JsonStrictValidator(SchemaVersion.V1_6)
        assert validator.validate_str(made[0].decode()) is None
    except ImportError:
        pytest.skip("the validator of cyclonedx-python-lib needs an extra that is not installed")


def test_a_scan_under_way_is_done_after_kill_9(tmp_path: Path) -> None:
    running = start(tmp_path / "home", LABS_CLOCK="2026-11-02T09:00:00Z")
    ecr = running.client("ecr")
    ecr.create_repository(repositoryName="demo", imageScanningConfiguration={"scanOnPush": True})
    push(ecr, "demo", tmp_path, "nginx-alpine")
    running.process.kill()
    running.process.wait()
    again = start(tmp_path / "home", LABS_CLOCK="2026-11-02T09:00:00Z")
    try:
        scan = gate.fetch(again.client("ecr"), gate.parse("demo:v1"), wait=60)
    finally:
        assert again.stop() == 0
    assert (scan.status, len(scan.findings)) == ("COMPLETE", 1)
