"""What ECR says of an image's scan: every page of it, and whether it ended.

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
"""How the sandbox names a package that its advisories do not cover; AWS has nothing like it."""

_UNDER_WAY = frozenset({"IN_PROGRESS", "PENDING", "NONE"})
_POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Finding:
    """One finding. ``fixed`` is the version with the fix, "" for none, None where ECR tells not."""

    id: str
    severity: str
    package: str
    version: str
    fixed: str | None
    title: str
    uri: str = ""

    @property
    def not_covered(self) -> bool:
        """Whether this says that nobody judged the package."""
        return self.id.startswith(NOT_COVERED)


@dataclass(frozen=True)
class Scan:
    """A scan as ECR tells it. ``complete`` only when its findings can be relied on.

    ``kind`` is BASIC, ENHANCED or "" while nothing shows which.
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
        """COMPLETE or, for continuous scans, ACTIVE, and with the time at which it ended.

        Enhanced scanning says COMPLETE or ACTIVE before there is a result, with an empty list
        and no time: https://github.com/aws/aws-sdk/issues/289
        """
        return self.status in ("COMPLETE", "ACTIVE") and self.completed_at is not None


def fetch(
    ecr: Any,
    image: ImageName,
    wait: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Scan:
    """The scan of an image, waited for up to ``wait`` seconds if there is or will be one.

    Raises botocore's ClientError for everything but a scan that is not there yet, whose status
    is NONE: enhanced scanning begins some time after the push.
    """
    end = clock() + wait
    if wait and _once(ecr, image).status == "NONE" and not _is_scanned(ecr, image):
        end = clock()
    while True:
        found = _once(ecr, image)
        under_way = found.status in _UNDER_WAY or (
            found.status in ("COMPLETE", "ACTIVE") and not found.complete
        )
        if not under_way or clock() >= end:
            return found
        sleep(min(_POLL_SECONDS, max(0.0, end - clock())))


def _is_scanned(ecr: Any, image: ImageName) -> bool:
    """Whether the repository's images are scanned without being asked; True where ECR tells not."""
    try:
        answer = ecr.batch_get_repository_scanning_configuration(repositoryNames=[image.repository])
    except ClientError:
        return True  # the caller may read findings and not this
    return all(one.get("scanFrequency") != "MANUAL" for one in answer["scanningConfigurations"])


def _once(ecr: Any, image: ImageName) -> Scan:
    request = {**image.request, "imageId": image.image_id, "maxResults": 1000}
    findings: list[Finding] = []
    kind = ""
    try:
        while True:
            answer = ecr.describe_image_scan_findings(**request)
            found = answer.get("imageScanFindings", {})
            if "enhancedFindings" in found:
                kind = "ENHANCED"
                findings += [one for each in found["enhancedFindings"] for one in _enhanced(each)]
            elif "findings" in found:
                kind = kind or "BASIC"
                findings += [_basic(each) for each in found["findings"]]
            if not answer.get("nextToken"):
                break
            request["nextToken"] = answer["nextToken"]
    except ecr.exceptions.ScanNotFoundException as error:
        message = error.response["Error"]["Message"]
        return Scan(str(image), image.digest or "", "NONE", message, "", None, ())
    status = answer.get("imageScanStatus", {})
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
    attributes = {one["key"]: one.get("value", "") for one in finding.get("attributes", [])}
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
    """One finding for each package and version in it."""
    details = finding.get("packageVulnerabilityDetails", {})
    packages = details.get("vulnerablePackages") or [{}]
    found: dict[tuple[str, str], Finding] = {}
    for package in packages:
        release = package.get("release")
        version = package.get("version", "") + (f"-{release}" if release else "")
        fixed = package.get("fixedInVersion", "")
        fixed = "" if fixed in ("NotAvailable", "Not Available") else fixed.removeprefix("0:")
        one = Finding(
            id=details.get("vulnerabilityId", finding.get("title", "")),
            severity=finding.get("severity", "UNTRIAGED"),
            package=package.get("name") or finding.get("title", "").rpartition(" - ")[2],
            version=version,
            fixed=fixed,
            title=finding.get("description", ""),
            uri=details.get("sourceUrl", ""),
        )
        found.setdefault((one.package, one.version), one)
    return list(found.values())
