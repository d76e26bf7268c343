"""Checks of lab 08: what ECR's scan of the pushed image says, and what was accepted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from labs_helpers import gate
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

IMAGE = "myapp:1.1.0"
BASE = "base"
ACCEPTED = Path("accepted.yaml")
RULES = gate.Rules(fail_on="MEDIUM")
LONGEST = timedelta(days=90)
WAIT = 60.0


@check("08.1")
def fixed(world: World) -> Outcome:
    ecr = world.client("ecr")
    tags = _tags(ecr)
    if gate.parse(IMAGE).tag not in tags:
        return NotAttempted(f"{IMAGE} in the registry", "it is not there yet: build it and push it")
    if tags[str(gate.parse(IMAGE).tag)] == tags.get(BASE):
        return NotYet(
            f"the digest of {IMAGE}",
            f"that of myapp:{BASE}",
            "an image of this lab's Dockerfile",
            "the base alone is not your application: docker build, then push what you built",
        )
    looked_at = f"ECR's scan of {IMAGE}"
    scan = _scan(ecr, looked_at)
    if isinstance(scan, NotYet):
        return scan
    unknown = [one for one in scan.findings if one.not_covered]
    fixable = [one for one in scan.findings if one.fixed and not one.not_covered]
    if fixable:
        return NotYet(looked_at, _listed(fixable), "no finding that has a fix", _advice(fixable))
    if unknown:
        return NotYet(
            looked_at,
            _listed(unknown),
            "packages that were all judged",
            "not judged is not clean: take nginx:alpine and a PyYAML that the scanner knows",
        )
    left = ", ".join(sorted({one.id for one in scan.findings})) or "nothing"
    return Passed(
        f"{IMAGE} is scanned. Nothing is left that has a fix; still there: {left}.",
        "Nothing more is known today. Advisories appear every day.",
    )


@check("08.2")
def accepted_for_a_time(world: World) -> Outcome:
    if not ACCEPTED.exists():
        return NotAttempted(f"the file {ACCEPTED} in this lab's folder", "it is not written yet")
    try:
        entries = gate.load(ACCEPTED)
    except gate.AcceptedRisksError as error:
        return NotYet(str(ACCEPTED), str(error), "entries with id, reason and expires", "fix it")
    ecr = world.client("ecr")
    looked_at = f"{ACCEPTED} and ECR's scan of {IMAGE}"
    if gate.parse(IMAGE).tag not in _tags(ecr):
        return NotYet(looked_at, f"no image {IMAGE}", "its findings", "do Your turn 1 first")
    scan = _scan(ecr, looked_at)
    if isinstance(scan, NotYet):
        return scan
    today = world.now().date()
    known = {one.id for one in scan.findings}
    fixable = {one.id for one in scan.findings if one.fixed}
    last = today + LONGEST
    for one in entries:
        if one.id not in known:
            return NotYet(
                looked_at,
                f"{one.id}, which the image has not",
                "only what was found",
                "leave it out",
            )
        if one.id in fixable:
            return NotYet(
                looked_at,
                f"{one.id}, which has a fix",
                "only what has none",
                "what has a fix is fixed",
            )
        if not today < one.expires <= last:
            return NotYet(
                f"expires of {one.id} in {ACCEPTED}",
                str(one.expires),
                f"a day after {today}, and not after {last}",
                "who accepts for ever never looks again",
            )
    verdict = gate.judge(scan, RULES, entries, today)
    if not verdict.passed:
        return NotYet(
            looked_at,
            verdict.summary(),
            f"a gate at {RULES.fail_on} that passes",
            f"which finding does labs gate {IMAGE} --fail-on {RULES.fail_on} still list?",
        )
    return Passed(
        f"{verdict.summary()}.",
        "On the day after the last one the gate stops again, and somebody looks.",
    )


def _tags(ecr: Any) -> dict[str, str]:
    """Tag -> digest of myapp; empty when there is no such repository."""
    pages = ecr.get_paginator("list_images").paginate(
        repositoryName=gate.parse(IMAGE).repository, filter={"tagStatus": "TAGGED"}
    )
    try:
        return {one["imageTag"]: one["imageDigest"] for page in pages for one in page["imageIds"]}
    except ecr.exceptions.RepositoryNotFoundException:
        return {}


def _scan(ecr: Any, looked_at: str) -> gate.Scan | NotYet:
    """The image's complete enhanced scan, or the outcome that says what is wrong with the scan."""
    scan = gate.fetch(ecr, gate.parse(IMAGE), wait=WAIT)
    advice = {
        "NONE": "no rule has it scanned: put the registry's rules again, with --scan-type ENHANCED",
        "UNSUPPORTED_IMAGE": "ECR cannot read this image: which base does FROM name?",
        "FAILED": "describe-image-scan-findings has a description of what went wrong",
    }
    if not scan.complete:
        found = f"status {scan.status}"
        suggestion = advice.get(scan.status, "wait a little, then look again")
        return NotYet(looked_at, found, "a scan that is complete", suggestion)
    if scan.kind != "ENHANCED":
        return NotYet(
            looked_at,
            "a scan of type BASIC",
            "one of type ENHANCED",
            "basic scanning does not read PyYAML: run the cell with --scan-type ENHANCED again",
        )
    return scan


def _listed(findings: Iterable[gate.Finding]) -> str:
    """One line for each finding, at most eight of them."""
    lines = [
        f"{one.id} {one.package} {one.version}" + (f", fixed in {one.fixed}" if one.fixed else "")
        for one in findings
    ]
    more = [f"and {len(lines) - 8} more"] if len(lines) > 8 else []
    return "\n".join(lines[:8] + more)


def _advice(fixable: Iterable[gate.Finding]) -> str:
    names = {one.package for one in fixable}
    if names == {"pyyaml"}:
        return "the base is new; the pin of PyYAML is old: the line ARG"
    return "the base decides: what does FROM say, and did you build and push after the change?"
