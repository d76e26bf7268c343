"""The formats of a verdict: a table for people, JSON, and SARIF for tools that show findings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.gate.verdict import Judgement, Verdict

_SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def table(verdict: Verdict) -> str:
    """Every finding that is not below the threshold, then the result."""
    lines = []
    listed = [each for each in verdict.judgements if each.state != "below"]
    if listed:
        rows = [("SEVERITY", "ID", "PACKAGE", "VERSION", "FIXED IN", "GATE"), *map(_row, listed)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            lines.append("  ".join(cells).rstrip())
        lines.append("")
    below = len(verdict.in_state("below"))
    if below:
        lines.append(f"{below} below {verdict.rules.fail_on} are not listed.")
    for risk in verdict.expired:
        lines.append(f"Expired on {risk.expires}: {risk.id} is no longer accepted.")
    for risk in verdict.stale:
        lines.append(f"Stale: {risk.id} is accepted, but the scan did not find it.")
    if verdict.rules.only_fixable and any(each.finding.fixed is None for each in listed):
        lines.append("Basic scanning does not say which findings have a fix, so none is excused.")
    return "\n".join([*lines, _printable(verdict.summary())])


def as_json(verdict: Verdict) -> str:
    """The verdict with every finding."""
    scan = verdict.scan
    document = {
        "image": scan.image,
        "digest": scan.digest,
        "passed": verdict.passed,
        "exitCode": verdict.exit_code,
        "summary": verdict.summary(),
        "scan": {
            "status": scan.status,
            "description": scan.description,
            "type": scan.kind or None,
            "completedAt": scan.completed_at.isoformat() if scan.completed_at else None,
        },
        "rules": {"failOn": verdict.rules.fail_on, "onlyFixable": verdict.rules.only_fixable},
        "findings": [
            {
                "id": each.finding.id,
                "severity": each.finding.severity,
                "package": each.finding.package,
                "version": each.finding.version,
                "fixedIn": each.finding.fixed,
                "state": each.state,
                "reason": each.reason,
                "uri": each.finding.uri,
            }
            for each in verdict.judgements
        ],
        "expired": [risk.id for risk in verdict.expired],
        "stale": [risk.id for risk in verdict.stale],
    }
    return json.dumps(document, indent=2)


def sarif(verdict: Verdict) -> str:
    """SARIF 2.1.0: a rule for each advisory, a result for each finding.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. An accepted finding is a
    result with a suppression. Without a complete scan, the execution counts as failed.
    """
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for judgement in verdict.judgements:
        finding = judgement.finding
        rule: dict[str, Any] = {
            "id": finding.id,
            "shortDescription": {"text": finding.title or finding.id},
        }
        if finding.uri:
            rule["helpUri"] = finding.uri
        rules.setdefault(finding.id, rule)
        results.append(_result(verdict, judgement, list(rules).index(finding.id)))
    run = {
        "tool": {
            "driver": {
                "name": "labs gate",
                "informationUri": "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"
                "image-scanning.html",
                "rules": list(rules.values()),
            }
        },
        "invocations": [
            {
                "executionSuccessful": verdict.scan.complete,
                "toolExecutionNotifications": [
                    {
                        "level": "note" if verdict.passed else "error",
                        "message": {"text": verdict.summary()},
                    }
                ],
            }
        ],
        "results": results,
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(verdict: Verdict, judgement: Judgement, index: int) -> dict[str, Any]:
    finding = judgement.finding
    where = f"{finding.package} {finding.version}".strip()
    fix = {None: "", "": ", no fix"}.get(finding.fixed, f", fixed in {finding.fixed}")
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": "error" if judgement.state in ("blocks", "not covered") else "note",
        "message": {"text": f"{finding.severity}: {finding.id} in {where}{fix}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _repository(verdict.scan.image)},
                    "region": {"startLine": 1},  # some tools require a line
                },
                "logicalLocations": [{"fullyQualifiedName": where, "kind": "package"}],
            }
        ],
        "partialFingerprints": {"package/v1": f"{finding.id} {where}"},
        "properties": {"severity": finding.severity, "gate": judgement.state},
    }
    if judgement.state == "accepted":
        result["suppressions"] = [{"kind": "external", "justification": judgement.reason}]
    return result


def _repository(image: str) -> str:
    """The repository as a relative URI. With a tag, its name would look like a URI scheme."""
    return image.partition("@")[0].partition(":")[0]


def _row(judgement: Judgement) -> tuple[str, ...]:
    finding = judgement.finding
    fixed = {None: "unknown", "": "no fix"}.get(finding.fixed, finding.fixed or "")
    if finding.not_covered:
        fixed = "-"
    separator = ", " if judgement.state == "blocks" else " "
    state = separator.join(filter(None, (judgement.state, judgement.reason)))
    cells = (finding.severity, finding.id, finding.package, finding.version, fixed, state)
    return tuple(map(_printable, cells))


def _printable(text: str) -> str:
    """The text in one line, without what a terminal obeys: an image's author chose some names."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


FORMATS: Mapping[str, Callable[[Verdict], str]] = {
    "table": table,
    "json": as_json,
    "sarif": sarif,
}
