"""The scan of an image as ECR reports it: its status, and every page of its findings.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.gate.image import ImageName

NOT_COVERED = "LABS-NOT-COVERED-"
"""Prefix of the finding for a package that no advisory source covers. AWS has no such finding."""

_CHANGED = "CHANGED"
"""The status of findings whose pages are of two scans. AWS has no such status."""
_UNFINISHED = frozenset({"IN_PROGRESS", "PENDING", "NONE", _CHANGED})
_POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Finding:
    """One finding.

    ``fixed`` is the version with the fix, "" if there is no fix, None if ECR does not say.
    """

    id: str
    severity: str
    package: str
    version: str
    fixed: str | None
    title: str
    uri: str = ""

    @property
    def not_covered(self) -> bool:
        """Whether the finding says that nobody judged the package."""
        return self.id.startswith(NOT_COVERED)


@dataclass(frozen=True)
class Scan:
    """A scan as ECR reports it. Its findings are reliable only if it is ``complete``.

    ``kind`` is BASIC or ENHANCED, or "" as long as ECR does not show which.
    """

    image: str
    digest: str
    status: str
    description: str
    kind: str
    completed_at: datetime | None
    findings: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        """Whether the status is COMPLETE or, for a continuous scan, ACTIVE, with a completion time.

        Enhanced scanning reports COMPLETE or ACTIVE before it has a result, with an empty list and
        no time: https://github.com/aws/aws-sdk/issues/289
        """
        return self.status in ("COMPLETE", "ACTIVE") and self.completed_at is not None


def fetch(
    ecr: Any,
    image: ImageName,
    wait: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Scan:
    """The scan of an image. Wait up to ``wait`` seconds for a scan that runs or will start.

    A scan that does not exist yet has the status NONE: enhanced scanning starts some time after the
    push. For any other refusal, raises botocore's ClientError.
    """
    end = clock() + wait
    if wait and _once(ecr, image).status == "NONE" and not _scans_start_by_themselves(ecr, image):
        end = clock()
    while True:
        scan = _once(ecr, image)
        unfinished = scan.status in _UNFINISHED or (
            scan.status in ("COMPLETE", "ACTIVE") and not scan.complete
        )
        if not unfinished or clock() >= end:
            return scan
        sleep(min(_POLL_SECONDS, max(0.0, end - clock())))


def _scans_start_by_themselves(ecr: Any, image: ImageName) -> bool:
    """Whether ECR scans this repository's images on its own; True if the caller may not know."""
    try:
        answer = ecr.batch_get_repository_scanning_configuration(repositoryNames=[image.repository])
    except ClientError:
        return True  # the caller may read findings but not this configuration
    return all(each.get("scanFrequency") != "MANUAL" for each in answer["scanningConfigurations"])


def _once(ecr: Any, image: ImageName) -> Scan:
    request = {**image.request, "imageId": image.image_id, "maxResults": 1000}
    findings: list[Finding] = []
    kind = ""
    scans = set()
    try:
        while True:
            answer = ecr.describe_image_scan_findings(**request)
            found = answer.get("imageScanFindings", {})
            scans.add((str(answer.get("imageId")), found.get("imageScanCompletedAt")))
            if "enhancedFindings" in found:
                kind = "ENHANCED"
                for each in found["enhancedFindings"]:
                    findings += _enhanced(each)
            elif "findings" in found:
                kind = kind or "BASIC"
                findings += [_basic(each) for each in found["findings"]]
            if not answer.get("nextToken"):
                break
            request["nextToken"] = answer["nextToken"]
            # a tag may move between two pages
            if digest := answer.get("imageId", {}).get("imageDigest"):
                request["imageId"] = {"imageDigest": digest}
    except ecr.exceptions.ScanNotFoundException as error:
        message = error.response["Error"]["Message"]
        return Scan(str(image), image.digest or "", "NONE", message, "", None, ())
    status = answer.get("imageScanStatus", {})
    if len(scans) > 1:
        changed = "the image was scanned again while its findings were read"
        status = {"status": _CHANGED, "description": changed}
    return Scan(
        image=str(image),
        digest=answer.get("imageId", {}).get("imageDigest", ""),
        status=status.get("status", "NONE"),
        description=status.get("description", ""),
        kind=kind,
        completed_at=found.get("imageScanCompletedAt"),
        findings=tuple(findings),
    )


def _basic(finding: dict[str, Any]) -> Finding:
    attributes = {each["key"]: each.get("value", "") for each in finding.get("attributes", [])}
    return Finding(
        id=finding.get("name", ""),
        severity=finding.get("severity", "UNDEFINED"),
        package=attributes.get("package_name", ""),
        version=attributes.get("package_version", ""),
        fixed=None,
        title=finding.get("description", ""),
        uri=finding.get("uri", ""),
    )


def _enhanced(finding: dict[str, Any]) -> list[Finding]:
    """One Finding for each package and version that AWS's finding lists."""
    details = finding.get("packageVulnerabilityDetails", {})
    packages = details.get("vulnerablePackages") or [{}]
    findings: dict[tuple[str, str], Finding] = {}
    for package in packages:
        release = package.get("release")
        version = package.get("version", "") + (f"-{release}" if release else "")
        fixed = package.get("fixedInVersion", "")
        fixed = "" if fixed in ("NotAvailable", "Not Available") else fixed.removeprefix("0:")
        name = package.get("name") or finding.get("title", "").rpartition(" - ")[2]
        each = Finding(
            id=details.get("vulnerabilityId", finding.get("title", "")),
            severity=finding.get("severity", "UNTRIAGED"),
            package=name,
            version=version,
            fixed=fixed,
            title=finding.get("description", ""),
            uri=details.get("sourceUrl", ""),
        )
        findings.setdefault((name, version), each)
    return list(findings.values())
