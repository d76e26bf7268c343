"""A verdict as a table for people, as JSON, and as SARIF for tools that show findings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.gate.verdict import Judged, Verdict

_TOLD_NOT = "not told"
_SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def table(verdict: Verdict) -> str:
    """Every finding that matters (all but those below the threshold), then what was decided."""
    lines = []
    shown = [one for one in verdict.judged if one.state != "below"]
    if shown:
        head = ("SEVERITY", "ID", "PACKAGE", "VERSION", "FIXED IN", "GATE")
        rows = [head, *(_row(one) for one in shown)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            lines.append("  ".join(cells).rstrip())
        lines.append("")
    below = len(verdict.those("below"))
    if below:
        lines.append(f"{below} below {verdict.rules.fail_on} are not listed.")
    lines += [f"Expired on {one.expires}: {one.id} is accepted no more." for one in verdict.expired]
    lines += [f"Stale: {one.id} is accepted and was not found." for one in verdict.stale]
    if verdict.rules.only_fixable and any(one.finding.fixed is None for one in shown):
        lines.append("Basic scanning does not tell what has a fix: nothing passes for that.")
    return "\n".join([*lines, verdict.summary()])


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
                "id": one.finding.id,
                "severity": one.finding.severity,
                "package": one.finding.package,
                "version": one.finding.version,
                "fixedIn": one.finding.fixed,
                "state": one.state,
                "reason": one.reason,
                "uri": one.finding.uri,
            }
            for one in verdict.judged
        ],
        "expired": [one.id for one in verdict.expired],
        "stale": [one.id for one in verdict.stale],
    }
    return json.dumps(document, indent=2)


def sarif(verdict: Verdict) -> str:
    """SARIF 2.1.0: a rule for each advisory, a result for each finding.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. An accepted finding is a
    result with a suppression; an image that was not judged is an execution that failed.
    """
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for one in verdict.judged:
        finding = one.finding
        rule: dict[str, Any] = {
            "id": finding.id,
            "shortDescription": {"text": finding.title or finding.id},
        }
        if finding.uri:
            rule["helpUri"] = finding.uri
        rules.setdefault(finding.id, rule)
        results.append(_result(verdict, one, list(rules).index(finding.id)))
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


def _result(verdict: Verdict, one: Judged, index: int) -> dict[str, Any]:
    finding = one.finding
    where = f"{finding.package} {finding.version}".strip()
    fix = {None: "", "": ", no fix"}.get(finding.fixed, f", fixed in {finding.fixed}")
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": "error" if one.state in ("blocks", "not covered") else "note",
        "message": {"text": f"{finding.severity}: {finding.id} in {where}{fix}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _repository(verdict.scan.image)},
                    "region": {"startLine": 1},  # some readers want one
                },
                "logicalLocations": [{"fullyQualifiedName": where, "kind": "package"}],
            }
        ],
        "partialFingerprints": {"package/v1": f"{finding.id} {where}"},
        "properties": {"severity": finding.severity, "gate": one.state},
    }
    if one.state == "accepted":
        result["suppressions"] = [{"kind": "external", "justification": one.reason}]
    return result


def _repository(image: str) -> str:
    """As a relative URI; with a tag it would read as a scheme."""
    return image.partition("@")[0].partition(":")[0]


def _row(one: Judged) -> tuple[str, ...]:
    finding = one.finding
    fixed = {None: _TOLD_NOT, "": "no fix"}.get(finding.fixed, finding.fixed or "")
    if finding.not_covered:
        fixed = "-"
    state = f"{one.state} {one.reason}" if one.state == "accepted" else one.state
    if one.state == "blocks" and one.reason:
        state = f"blocks, {one.reason}"
    return (finding.severity, finding.id, finding.package, finding.version, fixed, state)


FORMATS: Mapping[str, Callable[[Verdict], str]] = {
    "table": table,
    "json": as_json,
    "sarif": sarif,
}
