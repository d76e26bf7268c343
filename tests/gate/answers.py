"""ECR's answers as AWS documents them, and a fake client that returns them in turn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

COMPLETED = datetime(2026, 11, 2, 9, tzinfo=UTC)


class ScanNotFoundException(Exception):
    """The part of botocore's exception that the gate reads."""

    response = {"Error": {"Message": "Image scan does not exist"}}  # noqa: RUF012


class Ecr:
    """Returns each answer once and repeats the last; ``asked`` has the requests."""

    class exceptions:
        """The exceptions of a boto3 client."""

        ScanNotFoundException = ScanNotFoundException

    def __init__(
        self, *answers: dict[str, Any] | Exception, frequency: str = "CONTINUOUS_SCAN"
    ) -> None:
        self._answers = list(answers)
        self._frequency = frequency
        self.asked: list[dict[str, Any]] = []

    def batch_get_repository_scanning_configuration(self, **request: Any) -> dict[str, Any]:
        return {"scanningConfigurations": [{"scanFrequency": self._frequency}]}

    def describe_image_scan_findings(self, **request: Any) -> dict[str, Any]:
        self.asked.append(dict(request))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def basic(*findings: tuple[str, str, str], status: str = "COMPLETE", **more: Any) -> dict[str, Any]:
    """A basic scan: (id, severity, package) each."""
    return {
        "imageId": {"imageDigest": f"sha256:{'a' * 64}"},
        "imageScanStatus": {"status": status, "description": "as AWS says"},
        "imageScanFindings": {
            "imageScanCompletedAt": COMPLETED,
            "findingSeverityCounts": {},
            "findings": [
                {
                    "name": name,
                    "severity": severity,
                    "description": f"about {name}",
                    "uri": f"https://example.org/{name}",
                    "attributes": [
                        {"key": "package_name", "value": package},
                        {"key": "package_version", "value": "1.0"},
                    ],
                }
                for name, severity, package in findings
            ],
        },
        **more,
    }


def enhanced(
    *findings: tuple[str, str, str, str], status: str = "ACTIVE", **more: Any
) -> dict[str, Any]:
    """An enhanced scan: (id, severity, package, fixed version) each."""
    return {
        "imageId": {"imageDigest": f"sha256:{'a' * 64}"},
        "imageScanStatus": {"status": status},
        "imageScanFindings": {
            "imageScanCompletedAt": COMPLETED,
            "findingSeverityCounts": {},
            "enhancedFindings": [
                {
                    "title": f"{name} - {package}",
                    "severity": severity,
                    "description": f"about {name}",
                    "packageVulnerabilityDetails": {
                        "vulnerabilityId": name,
                        "sourceUrl": f"https://example.org/{name}",
                        "vulnerablePackages": [
                            {
                                "name": package,
                                "version": "1.0",
                                "release": "r0",
                                "fixedInVersion": fixed,
                            }
                        ],
                    },
                }
                for name, severity, package, fixed in findings
            ],
        },
        **more,
    }
