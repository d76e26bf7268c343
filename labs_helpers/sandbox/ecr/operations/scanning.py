"""Operations on scans: when repositories are scanned, how a scan starts, what a scan found."""

from datetime import UTC, datetime
from typing import Any

from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr import (
    image_ids,
    scan_findings,
    scan_queue,
    scan_rules,
    scan_states,
)
from labs_helpers.sandbox.ecr.errors import RepositoryNotFound
from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.scan_states import Scan
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members


class ScanNotFound(ServiceError):
    """The image has no scan of the registry's type (BASIC or ENHANCED)."""

    code = "ScanNotFoundException"
    words = (
        "Image scan does not exist for the image with '{{imageDigest:'{digest}', "
        "imageTag:'{tag}'}}' in the repository with name '{repositoryName}' in the registry with "
        "id '{registryId}'"
    )


class UnsupportedImageType(ServiceError):
    """An index, or an artifact that is no container image.

    https://github.com/docker/setup-buildx-action/issues/186
    """

    code = "UnsupportedImageTypeException"
    words = (
        "An artifact with media type '{media_type}' cannot be scanned. For more information, "
        "see the Amazon ECR documentation."
    )


class FeatureDisabled(ServiceError):
    """StartImageScan in a registry with enhanced scanning.

    https://github.com/alexjurkiewicz/ecr-scan-image/issues/44
    """

    code = "ValidationException"
    words = "This feature is disabled"


class ImageArchived(ServiceError):
    """StartImageScan of an image in the archive; the words are those of botocore's model."""

    code = "ImageArchivedException"
    words = "The specified image is archived and cannot be scanned."


def batch_get_repository_scanning_configuration(call: Call, params: Members) -> Members:
    """Says how often each repository is scanned, and by which of the registry's filters."""
    with call.store.read() as db:
        configuration = scan_rules.configuration(db, call.registry)
    found: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for name in dict.fromkeys(params["repositoryNames"]):
        try:
            repository = call.repository(name)
        except RepositoryNotFound:
            failures.append(
                {
                    "repositoryName": name,
                    "failureCode": "REPOSITORY_NOT_FOUND",
                    "failureReason": "REPOSITORY_NOT_FOUND",
                }
            )
        else:
            rule = scan_rules.rule(configuration, repository)
            found.append(
                {
                    "repositoryArn": repository.arn,
                    "repositoryName": repository.name,
                    "scanOnPush": rule.frequency != "MANUAL",
                    "scanFrequency": rule.frequency,
                    "appliedScanFilters": list(rule.filters),
                }
            )
    return {"scanningConfigurations": found, "failures": failures}


def start_image_scan(call: Call, params: Members) -> Members:
    """Queues a basic scan, which runs after the answer (IN_PROGRESS)."""
    repository = call.repository(params["repositoryName"])
    image = image_ids.get(call.store, repository, params["imageId"])
    if _scan_type(call) == "ENHANCED":
        raise FeatureDisabled()
    if not scan_queue.is_scannable(image.media_type, image.artifact_type):
        index = image.media_type in media_types.INDEXES
        raise UnsupportedImageType(media_type=image.media_type if index else image.artifact_type)
    if image.archived:
        raise ImageArchived()
    scan = scan_queue.add_basic(call.store, image.id)
    return {
        **repository.names,
        "imageId": _image_id(image, params["imageId"]),
        "imageScanStatus": {"status": scan.status},
    }


def describe_image_scan_findings(call: Call, params: Members) -> Members:
    """The state of an image's scan of the registry's type, and the findings of a complete scan.

    A scan without a result has an empty ``imageScanFindings``, which says nothing of findings: the
    paginator of botocore and of the ``aws`` command fails when the member is missing.
    https://github.com/boto/botocore/blob/1.44.5/botocore/data/ecr/2015-09-21/paginators-1.json
    """
    repository = call.repository(params["repositoryName"])
    image = image_ids.get(call.store, repository, params["imageId"])
    scan_type = _scan_type(call)
    with call.store.read() as db:
        scan = scan_states.get(db, image.id, scan_type)
        report = scan_states.result(db, image.id, scan_type)
    if scan is None:
        raise ScanNotFound(**image_ids.digest_and_tag(params["imageId"]), **repository.names)
    if scan.status == "ACTIVE":
        call.store.notify(scan_queue.TOPIC)  # newer advisories are judged soon, as on AWS
    answer = {
        **repository.names,
        "imageId": _image_id(image, params["imageId"]),
        "imageScanStatus": {"status": scan.status, "description": scan.description or None},
        "imageScanFindings": {},
    }
    if not scan.has_findings or report is None:
        return answer
    findings, token = _findings(call, params, repository, image, scan, report)
    return {**answer, "imageScanFindings": findings, "nextToken": token}


def _findings(
    call: Call,
    params: Members,
    repository: Repository,
    image: Image,
    scan: Scan,
    report: dict[str, Any],
) -> tuple[dict[str, Any], str | None]:
    completed = datetime.fromtimestamp(scan.completed_at or scan.requested_at, UTC)
    counts = scan_findings.severity_counts(report)
    if scan.scan_type == "ENHANCED":
        first = datetime.fromtimestamp(scan.first_seen or scan.requested_at, UTC)
        member = "enhancedFindings"
        every = scan_findings.enhanced(report, repository, image, first, completed)
        counts = {scan_findings.triaged(level): count for level, count in counts.items()}
    else:
        member, every = "findings", scan_findings.basic(report)
    items = [([f"{number:08d}"], one) for number, one in enumerate(every)]
    within = (repository.name, image.digest, scan.scan_type, str(scan.completed_at))
    part, token = call.page(items, params, *within)
    retrieved = datetime.fromisoformat(report["snapshot"]["retrieved"]).replace(tzinfo=UTC)
    return {
        "imageScanCompletedAt": completed,
        "vulnerabilitySourceUpdatedAt": retrieved,
        "findingSeverityCounts": counts,
        member: part,
    }, token


def _scan_type(call: Call) -> str:
    with call.store.read() as db:
        return str(scan_rules.configuration(db, call.registry)["scanType"])


def _image_id(image: Image, image_id: dict[str, str]) -> dict[str, Any]:
    return {"imageDigest": image.digest, "imageTag": image_id.get("imageTag")}
