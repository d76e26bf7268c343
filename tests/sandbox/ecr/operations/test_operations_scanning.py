"""Scans as ECR tells of them: asked for, on push, enhanced, and the states in between."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.ecr import events
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.scanner import importing
from tests.sandbox.ecr.operations.ecr_api import LIST, Ecr
from tests.sandbox.ecr.operations.scans import Scans
from tests.sandbox.scanner.images import ALPINE, APK, Content, apk, metadata

OLD: dict[str, Content] = {"etc/os-release": ALPINE, APK: apk("zlib 1.2.12-r0")}
UNSUPPORTED = "The operating system and/or package manager are not supported."
EVERY = [{"filter": "*", "filterType": "WILDCARD"}]


@pytest.fixture
def scans(demo: Ecr) -> Scans:
    return Scans(demo)


def rules(ecr: Ecr, scan_type: str, frequency: str, wildcard: str = "*") -> None:
    filters = [{"filter": wildcard, "filterType": "WILDCARD"}]
    ecr(
        "PutRegistryScanningConfiguration",
        scanType=scan_type,
        rules=[{"scanFrequency": frequency, "repositoryFilters": filters}],
    )


def names(answer: dict[str, Any]) -> list[str]:
    return [one["name"] for one in answer["imageScanFindings"]["findings"]]


def test_a_scan_asked_for_is_in_progress_then_complete(scans: Scans) -> None:
    digest = scans.push("v1", OLD)
    answer = scans.start()
    assert answer == {
        "registryId": "123456789012",
        "repositoryName": "demo",
        "imageId": {"imageDigest": digest, "imageTag": "v1"},
        "imageScanStatus": {"status": "IN_PROGRESS"},
    }
    assert scans.status() == ("IN_PROGRESS", None)
    assert scans.findings()["imageScanFindings"] == {}
    scans.run()
    assert scans.status() == ("COMPLETE", "The scan was completed successfully.")


def test_a_basic_finding_has_awss_members(scans: Scans) -> None:
    scans.push("v1", OLD)
    scans.start()
    scans.run()
    found = scans.findings()["imageScanFindings"]
    assert isinstance(found, dict)
    (one,) = [each for each in found["findings"] if each["name"] == "CVE-2022-37434"]
    assert one["severity"] == "CRITICAL"
    assert one["uri"].endswith("CVE-2022-37434")
    assert {each["key"]: each["value"] for each in one["attributes"]} == {
        "package_name": "zlib",
        "package_version": "1.2.12-r0",
        "CVSS3_VECTOR": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS3_SCORE": "9.8",
    }
    assert found["findingSeverityCounts"] == {"CRITICAL": 1}
    assert found["imageScanCompletedAt"] == 1793610000.0
    assert found["vulnerabilitySourceUpdatedAt"] > 0


def test_describe_images_shows_no_scan_as_native_basic_scanning_does_not(scans: Scans) -> None:
    scans.push("v1", OLD)
    scans.start()
    scans.run()
    (detail,) = scans.ecr("DescribeImages", repositoryName="demo")["imageDetails"]
    assert not {"imageScanStatus", "imageScanFindingsSummary"} & set(detail)


def test_an_image_is_scanned_once_in_24_hours(scans: Scans) -> None:
    scans.push("v1", OLD)
    scans.start()
    with_limit = {"repositoryName": "demo", "imageId": {"imageTag": "v1"}}
    assert scans.ecr.error("StartImageScan", **with_limit) == (
        "LimitExceededException",
        "The scan quota per image has been exceeded. Wait and try again.",
    )
    scans.run()
    scans.ecr.clock.advance(timedelta(hours=23, minutes=59))
    assert scans.ecr.error("StartImageScan", **with_limit)[0] == "LimitExceededException"
    scans.ecr.clock.advance(timedelta(minutes=1))
    scans.start()
    assert scans.status() == ("IN_PROGRESS", None)


def test_the_scan_on_push_counts_for_the_24_hours(scans: Scans) -> None:
    rules(scans.ecr, "BASIC", "SCAN_ON_PUSH")
    scans.push("v1", OLD)
    code, _ = scans.ecr.error("StartImageScan", repositoryName="demo", imageId={"imageTag": "v1"})
    assert code == "LimitExceededException"


def test_the_repositorys_own_setting_scans_on_push(scans: Scans) -> None:
    scans.ecr(
        "PutImageScanningConfiguration",
        repositoryName="demo",
        imageScanningConfiguration={"scanOnPush": True},
    )
    scans.push("v1", OLD)
    assert scans.status() == ("IN_PROGRESS", None)
    scans.run()
    assert "CVE-2022-37434" in names(scans.findings())


@pytest.mark.parametrize(
    ("wildcard", "scanned"),
    [("*", True), ("demo", True), ("em", True), ("d*o", True), ("other", False), ("d*x", False)],
)
def test_a_rule_scans_what_its_filter_takes_in(scans: Scans, wildcard: str, scanned: bool) -> None:
    rules(scans.ecr, "BASIC", "SCAN_ON_PUSH", wildcard)
    scans.push("v1", OLD)
    asked = {"repositoryName": "demo", "imageId": {"imageTag": "v1"}}
    if scanned:
        assert scans.status() == ("IN_PROGRESS", None)
    else:
        code, _ = scans.ecr.error("DescribeImageScanFindings", **asked)
        assert code == "ScanNotFoundException"


def test_an_image_never_scanned_says_so_in_awss_words(scans: Scans) -> None:
    scans.push("v1", OLD)
    asked = {"repositoryName": "demo", "imageId": {"imageTag": "v1"}}
    assert scans.ecr.error("DescribeImageScanFindings", **asked) == (
        "ScanNotFoundException",
        "Image scan does not exist for the image with '{imageDigest:'null', imageTag:'v1'}' in "
        "the repository with name 'demo' in the registry with id '123456789012'",
    )


@pytest.mark.parametrize("operation", ["StartImageScan", "DescribeImageScanFindings"])
def test_an_image_that_is_not_there_is_not_scanned(scans: Scans, operation: str) -> None:
    asked = {"repositoryName": "demo", "imageId": {"imageTag": "none"}}
    assert scans.ecr.error(operation, **asked)[0] == "ImageNotFoundException"
    assert scans.ecr.error(operation, repositoryName="demo", imageId={})[0] == (
        "InvalidParameterException"
    )
    asked["repositoryName"] = "none"
    assert scans.ecr.error(operation, **asked)[0] == "RepositoryNotFoundException"


def test_an_index_cannot_be_scanned_and_its_images_can(scans: Scans) -> None:
    rules(scans.ecr, "BASIC", "SCAN_ON_PUSH")
    digest = scans.push("v1", OLD)
    scans.ecr.push_index("demo", [digest], tag="all")
    scans.run()
    asked = {"repositoryName": "demo", "imageId": {"imageTag": "all"}}
    assert scans.ecr.error("StartImageScan", **asked) == (
        "UnsupportedImageTypeException",
        f"An artifact with media type '{LIST}' cannot be scanned. For more information, see the "
        "Amazon ECR documentation.",
    )
    assert scans.ecr.error("DescribeImageScanFindings", **asked)[0] == "ScanNotFoundException"
    assert scans.status("v1")[0] == "COMPLETE"


def test_an_artifact_is_not_scanned(scans: Scans) -> None:
    rules(scans.ecr, "BASIC", "SCAN_ON_PUSH")
    empty = scans.ecr.upload("demo", b"{}")
    chart = {
        "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        "digest": scans.ecr.upload("demo", b"chart"),
        "size": 5,
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.cncf.helm.config.v1+json",
            "digest": empty,
            "size": 2,
        },
        "layers": [chart],
    }
    scans.ecr(
        "PutImage", repositoryName="demo", imageManifest=json.dumps(manifest), imageTag="chart"
    )
    asked = {"repositoryName": "demo", "imageId": {"imageTag": "chart"}}
    code, message = scans.ecr.error("StartImageScan", **asked)
    assert code == "UnsupportedImageTypeException"
    assert "helm" in message


def test_an_image_from_scratch_is_unsupported_and_not_clean(scans: Scans) -> None:
    scans.push("v1", {"bin/app": b"\x7fELF"})
    scans.start()
    scans.run()
    assert scans.status() == ("FAILED", f"UnsupportedImageError: {UNSUPPORTED}")
    assert scans.findings()["imageScanFindings"] == {}


def test_an_rpm_image_is_unsupported_here(scans: Scans) -> None:
    scans.push("v1", {"etc/os-release": "ID=amzn\nVERSION_ID=2023", "var/lib/rpm/rpmdb.sqlite": ""})
    scans.start()
    scans.run()
    assert scans.status() == ("FAILED", f"UnsupportedImageError: {UNSUPPORTED}")


def test_a_damaged_database_fails_the_scan(scans: Scans) -> None:
    scans.push("v1", {"etc/os-release": ALPINE, APK: "P:zlib\n\n"})
    scans.start()
    scans.run()
    status, description = scans.status()
    assert status == "FAILED"
    assert "lib/apk/db/installed cannot be read" in str(description)


def test_what_is_no_layer_fails_the_scan(scans: Scans) -> None:
    scans.ecr.push("demo", "v1")
    scans.start()
    scans.run()
    assert scans.status()[0] == "FAILED"


def test_a_failed_scan_counts_for_the_24_hours(scans: Scans) -> None:
    scans.push("v1", {"bin/app": ""})
    scans.start()
    scans.run()
    code, _ = scans.ecr.error("StartImageScan", repositoryName="demo", imageId={"imageTag": "v1"})
    assert code == "LimitExceededException"


def test_a_package_that_is_not_covered_is_an_informational_finding(scans: Scans) -> None:
    scans.push("v1", {"etc/os-release": ALPINE, APK: apk("zlib 1.2.12-r2", "redis 6.2-r0")})
    scans.start()
    scans.run()
    found = scans.findings()["imageScanFindings"]
    assert isinstance(found, dict)
    (one,) = found["findings"]
    assert (one["name"], one["severity"]) == ("LABS-NOT-COVERED-redis", "INFORMATIONAL")
    assert found["findingSeverityCounts"] == {"INFORMATIONAL": 1}


def test_an_image_without_findings_has_empty_counts(scans: Scans) -> None:
    scans.push("v1", {"etc/os-release": ALPINE, APK: apk("zlib 1.2.12-r2")})
    scans.start()
    scans.run()
    found = scans.findings()["imageScanFindings"]
    assert isinstance(found, dict)
    assert (found["findings"], found["findingSeverityCounts"]) == ([], {})


def test_findings_come_in_pages_the_worst_first(scans: Scans, tmp_path: Path) -> None:
    scans.push_stand_in("v1", "nginx-1.21-alpine", tmp_path)
    scans.start()
    scans.run()
    whole = scans.findings()
    assert "nextToken" not in whole
    seen: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = scans.findings(maxResults=20, **more)
        assert isinstance(page["imageScanFindings"], dict)
        seen += page["imageScanFindings"]["findings"]
        if "nextToken" not in page:
            break
        more = {"nextToken": page["nextToken"]}
    assert isinstance(whole["imageScanFindings"], dict)
    assert seen == whole["imageScanFindings"]["findings"]
    assert [one["severity"] for one in seen[:8]] == ["CRITICAL"] * 7 + ["HIGH"]
    counts = whole["imageScanFindings"]["findingSeverityCounts"]
    assert counts == {"CRITICAL": 7, "HIGH": 24, "MEDIUM": 20, "LOW": 3}


def test_a_page_token_of_another_image_is_refused(scans: Scans, tmp_path: Path) -> None:
    for tag, name in (("v1", "nginx-1.21-alpine"), ("v2", "debian-12.1")):
        scans.push_stand_in(tag, name, tmp_path)
        scans.start(tag)
    scans.run()
    token = scans.findings("v1", maxResults=1)["nextToken"]
    code, _ = scans.ecr.error(
        "DescribeImageScanFindings",
        repositoryName="demo",
        imageId={"imageTag": "v2"},
        nextToken=token,
    )
    assert code == "InvalidParameterException"


def test_a_scan_that_waits_survives_the_process(scans: Scans) -> None:
    rules(scans.ecr, "BASIC", "SCAN_ON_PUSH")
    scans.push("v1", OLD)
    root, clock = scans.ecr.store.root, scans.ecr.clock
    scans.ecr.store.close()
    again = Scans(Ecr(Store(root, clock), clock))
    assert again.status() == ("IN_PROGRESS", None)
    again.run()
    assert again.status()[0] == "COMPLETE"
    again.ecr.store.close()


def test_the_thread_does_a_scan_and_ends_with_its_worker(scans: Scans) -> None:
    scans.worker.start()
    scans.push("v1", OLD)
    scans.start()
    while scans.status()[0] == "IN_PROGRESS":
        pass
    assert scans.status()[0] == "COMPLETE"


def test_an_image_deleted_while_it_waits_is_nobodys_scan(scans: Scans) -> None:
    scans.push("v1", OLD)
    scans.start()
    scans.ecr("BatchDeleteImage", repositoryName="demo", imageIds=[{"imageTag": "v1"}])
    scans.run()


def test_a_scan_that_ended_leaves_eventbridges_event(scans: Scans) -> None:
    digest = scans.push("v1", OLD)
    scans.start()
    scans.run()
    _, one = events.queue(scans.ecr.store)
    assert {key: value for key, value in one.event.items() if key != "id"} == {
        "version": "0",
        "detail-type": "ECR Image Scan",
        "source": "aws.ecr",
        "account": "123456789012",
        "time": "2026-11-02T09:00:00Z",
        "region": "us-west-2",
        "resources": ["arn:aws:ecr:us-west-2:123456789012:repository/demo"],
        "detail": {
            "scan-status": "COMPLETE",
            "repository-name": "demo",
            "finding-severity-counts": {"CRITICAL": 1},
            "image-digest": digest,
            "image-tags": ["v1"],
        },
    }


# enhanced scanning

PYTHON: dict[str, Content] = {
    "app/PyYAML-5.3.1.dist-info/METADATA": metadata("PyYAML", "5.3.1"),
}


def test_enhanced_scanning_is_pending_then_active(scans: Scans) -> None:
    rules(scans.ecr, "ENHANCED", "CONTINUOUS_SCAN")
    scans.push("v1", OLD)
    assert scans.status() == ("PENDING", None)
    scans.run()
    assert scans.status() == ("ACTIVE", "Continuous scan is selected for image.")


def test_enhanced_scanning_on_push_ends_complete(scans: Scans) -> None:
    rules(scans.ecr, "ENHANCED", "SCAN_ON_PUSH")
    scans.push("v1", OLD)
    scans.run()
    assert scans.status() == ("COMPLETE", "The scan was completed successfully.")
    assert "enhancedFindings" in scans.findings()["imageScanFindings"]  # type: ignore[operator]


def test_enhanced_scanning_takes_in_what_is_there_only_where_it_is_continuous(scans: Scans) -> None:
    scans.push("v1", OLD)
    rules(scans.ecr, "ENHANCED", "SCAN_ON_PUSH")
    scans.run()
    asked = {"repositoryName": "demo", "imageId": {"imageTag": "v1"}}
    assert scans.ecr.error("DescribeImageScanFindings", **asked)[0] == "ScanNotFoundException"

    rules(scans.ecr, "ENHANCED", "CONTINUOUS_SCAN")
    scans.run()
    assert scans.status() == ("ACTIVE", "Continuous scan is selected for image.")


def test_enhanced_scanning_sees_python_and_fixed_versions(scans: Scans) -> None:
    rules(scans.ecr, "ENHANCED", "CONTINUOUS_SCAN")
    digest = scans.push("v1", OLD, PYTHON)
    scans.run()
    found = scans.findings()["imageScanFindings"]
    assert isinstance(found, dict)
    assert "findings" not in found
    by_id = {
        one["packageVulnerabilityDetails"]["vulnerabilityId"]: one
        for one in found["enhancedFindings"]
    }
    zlib, yaml = by_id["CVE-2022-37434"], by_id["CVE-2020-14343"]
    assert (zlib["title"], zlib["fixAvailable"]) == ("CVE-2022-37434 - zlib", "YES")
    (package,) = zlib["packageVulnerabilityDetails"]["vulnerablePackages"]
    layer = package.pop("sourceLayerHash")
    assert layer.startswith("sha256:")
    assert package == {
        "name": "zlib",
        "version": "1.2.12",
        "release": "r0",
        "epoch": 0,
        "arch": "AMD64",
        "packageManager": "OS",
        "fixedInVersion": "0:1.2.12-r2",
    }
    (package,) = yaml["packageVulnerabilityDetails"]["vulnerablePackages"]
    assert (package["packageManager"], package["fixedInVersion"], package["filePath"]) == (
        "PYTHONPKG",
        "5.4",
        "app/PyYAML-5.3.1.dist-info/METADATA",
    )
    (resource,) = zlib["resources"]
    assert resource["details"]["awsEcrContainerImage"] == {
        "architecture": "amd64",
        "imageHash": digest,
        "imageTags": ["v1"],
        "platform": "ALPINE_LINUX_3_15",
        "pushedAt": 1793610000.0,
        "registry": "123456789012",
        "repositoryName": "demo",
    }


def test_enhanced_scanning_begins_with_the_images_that_are_there(scans: Scans) -> None:
    scans.push("v1", OLD)
    rules(scans.ecr, "ENHANCED", "CONTINUOUS_SCAN")
    assert scans.status() == ("PENDING", None)


def test_a_scan_by_hand_is_disabled_under_enhanced_scanning(scans: Scans) -> None:
    scans.push("v1", OLD)
    rules(scans.ecr, "ENHANCED", "CONTINUOUS_SCAN")
    asked = {"repositoryName": "demo", "imageId": {"imageTag": "v1"}}
    assert scans.ecr.error("StartImageScan", **asked) == (
        "ValidationException",
        "This feature is disabled",
    )


def test_an_image_from_scratch_is_an_unsupported_image_under_enhanced_scanning(
    scans: Scans,
) -> None:
    rules(scans.ecr, "ENHANCED", "CONTINUOUS_SCAN")
    scans.push("v1", {"bin/app": ""})
    scans.run()
    assert scans.status() == ("UNSUPPORTED_IMAGE", UNSUPPORTED)


def test_each_type_of_scanning_keeps_its_own_scans(scans: Scans) -> None:
    scans.push("v1", OLD)
    scans.start()
    scans.run()
    rules(scans.ecr, "ENHANCED", "CONTINUOUS_SCAN", "nothing")
    asked = {"repositoryName": "demo", "imageId": {"imageTag": "v1"}}
    assert scans.ecr.error("DescribeImageScanFindings", **asked)[0] == "ScanNotFoundException"
    scans.ecr("PutRegistryScanningConfiguration", scanType="BASIC", rules=[])
    assert scans.status()[0] == "COMPLETE"


def test_an_unknown_severity_is_untriaged_under_enhanced_scanning(
    scans: Scans, tmp_path: Path
) -> None:
    rules(scans.ecr, "ENHANCED", "SCAN_ON_PUSH")
    scans.push_stand_in("v1", "debian-12", tmp_path)
    scans.run()
    found = scans.findings()["imageScanFindings"]
    assert isinstance(found, dict)
    assert found["findingSeverityCounts"]["UNTRIAGED"] == 1


def test_an_enhanced_scan_leaves_no_event(scans: Scans) -> None:
    rules(scans.ecr, "ENHANCED", "SCAN_ON_PUSH")
    scans.push("v1", OLD)
    scans.run()
    assert scans.status()[0] == "COMPLETE"
    kept = [one.event["detail-type"] for one in events.queue(scans.ecr.store)]
    assert kept == ["ECR Image Action"]


def test_a_continuous_scan_follows_newer_advisories(demo: Ecr, tmp_path: Path) -> None:
    imports = tmp_path / "imports"
    scans = Scans(demo, imports)
    rules(demo, "ENHANCED", "CONTINUOUS_SCAN")
    scans.push("v1", {"etc/os-release": ALPINE, APK: apk("zlib 1.2.12-r2")})
    scans.run()
    found = scans.findings()["imageScanFindings"]
    assert isinstance(found, dict)
    assert found["enhancedFindings"] == []
    newer = {
        "id": "CVE-2026-99999",
        "modified": "2026-11-24T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "Alpine:v3.15", "name": "zlib"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
            }
        ],
    }
    export = tmp_path / "export.json"
    export.write_text(json.dumps(newer))
    importing.take(export, imports)
    scans.run()
    found = scans.findings()["imageScanFindings"]
    assert isinstance(found, dict)
    assert found["enhancedFindings"][0]["title"] == "CVE-2026-99999 - zlib"
    assert scans.status()[0] == "ACTIVE"


def test_imported_advisories_that_cannot_be_read_fail_the_scan(demo: Ecr, tmp_path: Path) -> None:
    (tmp_path / "imported.json").write_text("{")
    scans = Scans(demo, tmp_path)
    scans.push("v1", OLD)
    scans.start()
    scans.run()
    status, description = scans.status()
    assert status == "FAILED"
    assert "labs advisories forget" in str(description)


def test_an_unknown_engine_fails_the_scan(demo: Ecr) -> None:
    scans = Scans(demo, environ={"LABS_SCANNER": "magic"})
    scans.push("v1", OLD)
    scans.start()
    scans.run()
    assert scans.status() == (
        "FAILED",
        "LABS_SCANNER is 'magic'; it must be labs or trivy, or unset.",
    )
