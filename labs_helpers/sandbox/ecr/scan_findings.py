"""What a scan found, in the shapes of the API: findings of basic and of enhanced scanning.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanFinding.html and
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_EnhancedImageScanFinding.html, with
the example in API_DescribeImageScanFindings.html. Severities of enhanced scanning are Amazon
Inspector's, which says UNTRIAGED where basic scanning says UNDEFINED:
https://docs.aws.amazon.com/inspector/latest/user/findings-understanding-severity.html

A package that the advisories do not cover is a finding, too, of severity INFORMATIONAL and named
``LABS-NOT-COVERED-<package>``. ECR's answer has no other place in which a reader, or a gate, would
see the package, and an unjudged package must not look clean (labs/lab08/differences.json).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from datetime import datetime
from typing import Any

from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.repositories import Repository

NOT_COVERED = "LABS-NOT-COVERED"
NO_FIX = "NotAvailable"


def basic(report: dict[str, Any]) -> list[dict[str, Any]]:
    """One finding for each advisory and source package, the worst first."""
    found = [_basic(one) for one in report["findings"]]
    return found + [_basic_not_covered(one) for one in report["not_covered"]]


def uri(name: str, ecosystem: str) -> str:
    """Where to read about an advisory."""
    if ecosystem.startswith("Debian") and name.startswith("CVE-"):
        return f"https://security-tracker.debian.org/tracker/{name}"
    if ecosystem.startswith("Alpine") and name.startswith("CVE-"):
        return f"https://security.alpinelinux.org/vuln/{name}"
    if name.startswith("CVE-"):
        return f"https://nvd.nist.gov/vuln/detail/{name}"
    return f"https://osv.dev/vulnerability/{name}"


def not_covered_name(one: dict[str, Any]) -> str:
    """The name of the finding about a package that was not judged."""
    return f"{NOT_COVERED}-{one['source']}"


def _basic(one: dict[str, Any]) -> dict[str, Any]:
    attributes = {"package_version": one["source_version"], "package_name": one["source"]}
    if one["score"] is not None:
        attributes |= {"CVSS3_VECTOR": one["vector"], "CVSS3_SCORE": f"{one['score']:.1f}"}
    return {
        "name": one["name"],
        "description": one["summary"],
        "uri": uri(one["name"], one["ecosystem"]),
        "severity": one["severity"],
        "attributes": _attributes(attributes),
    }


def _basic_not_covered(one: dict[str, Any]) -> dict[str, Any]:
    attributes = {"package_version": one["source_version"], "package_name": one["source"]}
    return {
        "name": not_covered_name(one),
        "description": f"Nobody judged this package: {one['reason']}.",
        "severity": "INFORMATIONAL",
        "attributes": _attributes(attributes),
    }


def _attributes(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def severity_counts(report: dict[str, Any]) -> dict[str, int]:
    """How many findings of each severity; a severity without any is left out.

    What the advisories do not cover counts as INFORMATIONAL.
    """
    counts = Counter(finding["severity"] for finding in report["findings"])
    counts["INFORMATIONAL"] += len(report["not_covered"])
    return {level: count for level, count in counts.items() if count}


def enhanced(
    report: dict[str, Any],
    repository: Repository,
    image: Image,
    first: datetime,
    last: datetime,
) -> list[dict[str, Any]]:
    """One finding for each advisory and source package, with each binary package it is in.

    first, last: when the first and the last scan saw it, as far as the store knows.
    """
    resource = _resource(report, repository, image)
    seen = {"firstObservedAt": first, "lastObservedAt": last, "updatedAt": last}
    found = [_enhanced(one, repository, image) for one in report["findings"]]
    found += [_enhanced_not_covered(one, repository, image) for one in report["not_covered"]]
    return [{**one, **seen, "resources": [resource]} for one in found]


def triaged(level: str) -> str:
    """A severity as Inspector spells it."""
    return "UNTRIAGED" if level == "UNDEFINED" else level


def _enhanced(one: dict[str, Any], repository: Repository, image: Image) -> dict[str, Any]:
    link = uri(one["name"], one["ecosystem"])
    details: dict[str, Any] = {
        "cvss": [],
        "referenceUrls": [link],
        "relatedVulnerabilities": one["aliases"],
        "source": _source(one),
        "sourceUrl": link,
        "vulnerabilityId": one["name"],
        "vulnerablePackages": [_package(each, one["fixed"]) for each in one["packages"]],
    }
    finding = {
        **_common(repository, image, one["name"], one["source"], one["source_version"]),
        "description": one["summary"],
        "severity": triaged(one["severity"]),
        "fixAvailable": "YES" if one["fixed"] else "NO",
        "packageVulnerabilityDetails": details,
    }
    if one["score"] is not None:
        version = one["vector"].partition("/")[0].removeprefix("CVSS:")
        scored = {"scoringVector": one["vector"], "version": version}
        details["cvss"] = [{**scored, "baseScore": one["score"], "source": "NVD"}]
        finding["score"] = one["score"]
        finding["scoreDetails"] = {
            "cvss": {**scored, "score": one["score"], "scoreSource": "NVD", "adjustments": []}
        }
    return finding


def _enhanced_not_covered(
    one: dict[str, Any], repository: Repository, image: Image
) -> dict[str, Any]:
    name = not_covered_name(one)
    return {
        **_common(repository, image, name, one["source"], one["source_version"]),
        "description": f"Nobody judged this package: {one['reason']}.",
        "severity": "INFORMATIONAL",
        "fixAvailable": "NO",
        "packageVulnerabilityDetails": {
            "cvss": [],
            "referenceUrls": [],
            "relatedVulnerabilities": [],
            "source": "LABS",
            "vulnerabilityId": name,
            "vulnerablePackages": [_package(each, "") for each in one["packages"]],
        },
    }


def _common(
    repository: Repository, image: Image, name: str, source: str, version: str
) -> dict[str, Any]:
    seed = "\0".join((repository.arn, image.digest, name, source, version))
    identity = hashlib.sha256(seed.encode()).hexdigest()[:32]
    region, account = repository.registry.region, repository.account
    return {
        "awsAccountId": account,
        "findingArn": f"arn:aws:inspector2:{region}:{account}:finding/{identity}",
        "remediation": {"recommendation": {"text": "None Provided"}},
        "status": "ACTIVE",
        "title": f"{name} - {source}",
        "type": "PACKAGE_VULNERABILITY",
    }


def _package(package: dict[str, str], fixed: str) -> dict[str, Any]:
    if package["manager"] == "python":
        return {
            "name": package["name"],
            "version": package["version"],
            "packageManager": "PYTHONPKG",
            "filePath": package["path"],
            "sourceLayerHash": package["layer"],
            "fixedInVersion": fixed or NO_FIX,
        }
    epoch, version, release = _split(package["version"])
    fix = fixed if not fixed or re.match(r"\d+:", fixed) else f"0:{fixed}"
    return {
        "name": package["name"],
        "version": version,
        **({"release": release} if release else {}),
        "epoch": epoch,
        "arch": {"x86_64": "AMD64", "aarch64": "ARM64"}.get(
            package["architecture"], package["architecture"].upper()
        ),
        "packageManager": "OS",
        "sourceLayerHash": package["layer"],
        "fixedInVersion": fix or NO_FIX,
    }


def _split(text: str) -> tuple[int, str, str]:
    epoch, colon, rest = text.partition(":")
    if not colon or not epoch.isdigit():
        epoch, rest = "0", text
    version, dash, release = rest.rpartition("-")
    return int(epoch), version if dash else rest, release if dash else ""


def _source(one: dict[str, Any]) -> str:
    if one["ecosystem"].startswith("Debian"):
        return "DEBIAN_CVE"
    return "NVD" if one["name"].startswith("CVE-") else "OSV"


def _resource(report: dict[str, Any], repository: Repository, image: Image) -> dict[str, Any]:
    distribution = report["distribution"]
    return {
        "id": f"{repository.arn}/{image.digest}",
        "type": "AWS_ECR_CONTAINER_IMAGE",
        "tags": {},
        "details": {
            "awsEcrContainerImage": {
                "architecture": report.get("architecture", ""),
                "imageHash": image.digest,
                "imageTags": list(image.tags),
                "platform": distribution["platform"] if distribution else "UNKNOWN",
                "pushedAt": image.pushed_at,
                "registry": repository.account,
                "repositoryName": repository.name,
            }
        },
    }
