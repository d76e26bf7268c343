"""Findings of basic scanning, in the shape of the API's ``ImageScanFinding``.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanFinding.html

What the advisories do not cover is a finding too, of severity INFORMATIONAL and named
``LABS-NOT-COVERED-<package>``: ECR's answer has no other place in which a reader, or a gate, would
meet it, and a package that nobody judged must not look clean (labs/lab08/differences.json).
"""

from __future__ import annotations

from typing import Any

NOT_COVERED = "LABS-NOT-COVERED"


def basic(report: dict[str, Any]) -> list[dict[str, Any]]:
    """One finding for each advisory and source package, the worst first."""
    found = [_finding(one) for one in report["findings"]]
    return found + [_not_covered(one) for one in report["not_covered"]]


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


def _finding(one: dict[str, Any]) -> dict[str, Any]:
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


def _not_covered(one: dict[str, Any]) -> dict[str, Any]:
    attributes = {"package_version": one["source_version"], "package_name": one["source"]}
    return {
        "name": not_covered_name(one),
        "description": f"Nobody judged this package: {one['reason']}.",
        "severity": "INFORMATIONAL",
        "attributes": _attributes(attributes),
    }


def _attributes(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
