"""Checks of lab 08: the packages of the pushed image, and what was accepted."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from labs_helpers.checks import apk
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

REPOSITORY, TAG = "myapp", "1.1.0"
IMAGE = f"{REPOSITORY}:{TAG}"
PAGE = "usr/share/nginx/html/index.html"
ADVISORIES = Path("advisories.json")
ACCEPTED = Path("accepted.json")
UNFIXED = "CVE-2025-60876"
LONGEST = timedelta(days=90)


@check("08.1")
def cured(world: World) -> Outcome:
    ecr = world.client("ecr")
    try:
        inside = apk.contents(ecr, REPOSITORY, {"imageTag": TAG})
    except (LookupError, ecr.exceptions.RepositoryNotFoundException):
        return NotAttempted(f"{IMAGE} in the registry", "it is not there yet: build it and push it")
    looked_at = f"the packages in the layers of {IMAGE}"
    if inside is None:
        return NotYet(
            looked_at,
            "no Alpine packages",
            "those of nginx:alpine",
            "which image stands in the line FROM?",
        )
    known = _advisories()
    if any(inside.branch not in one["fixed"] for one in known):
        return NotYet(
            looked_at,
            f"Alpine {inside.branch}",
            f"Alpine {' or '.join(known[0]['fixed'])}, for which {ADVISORIES} has advisories",
            "what nobody looked at is not clean: FROM nginx:1.31.6-alpine is on Alpine 3.24",
        )
    left = sorted(one for one in _findings(inside, known) if not one.startswith(UNFIXED))
    if left:
        return NotYet(
            looked_at,
            f"Alpine {inside.branch}\n" + "\n".join(left),
            "no finding that has a fix",
            "the base decides: what does the line FROM say, and did you build after the change?",
        )
    if PAGE not in inside.paths or "maintainer" not in inside.labels:
        return NotYet(
            f"the labels of {IMAGE}",
            ", ".join(sorted(inside.labels)) or "none",
            "maintainer, from this lab's Dockerfile",
            "docker build, then push what you built: the base alone is not your application",
        )
    return Passed(
        f"{IMAGE} is on Alpine {inside.branch}, and nothing is left that has a fix.",
        "Nothing among the nine advisories of this lab: a scanner knows many more.",
    )


@check("08.2")
def accepted_for_a_time(world: World) -> Outcome:
    if not ACCEPTED.exists():
        return NotAttempted(f"the file {ACCEPTED} in this lab's folder", "it is not written yet")
    looked_at = str(ACCEPTED)
    shape = '[{"id": "CVE-...", "reason": "...", "until": "YYYY-MM-DD"}]'
    text = ACCEPTED.read_text(encoding="utf-8")
    try:
        entries = json.loads(text)
        given = {str(one["id"]): one for one in entries}
        until = {name: date.fromisoformat(str(one["until"])) for name, one in given.items()}
    except (ValueError, KeyError, TypeError):
        return NotYet(looked_at, text.strip() or "an empty file", shape, "each entry has all three")
    extra = sorted(given.keys() - {UNFIXED})
    if extra:
        return NotYet(looked_at, ", ".join(extra), f"{UNFIXED} only", "what has a fix is fixed")
    if UNFIXED not in given:
        return NotYet(looked_at, "no entry", UNFIXED, "the one that no base has fixed")
    if not str(given[UNFIXED].get("reason") or "").strip():
        return NotYet(looked_at, "no reason", "a reason", "why can it wait? Write it for others")
    today = world.now().date()
    last = until[UNFIXED]
    if not today < last <= today + LONGEST:
        return NotYet(
            f"until, in {looked_at}",
            str(last),
            f"a day after {today}, and not after {today + LONGEST}",
            "who accepts for ever never looks again",
        )
    return Passed(
        f"{UNFIXED} is accepted for {(last - today).days} days, with a reason.",
        "Only a gate that reads this file makes the day count.",
    )


def _advisories() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ADVISORIES.read_text(encoding="utf-8"))["advisories"]
    return found


def _findings(inside: apk.Contents, known: list[dict[str, Any]]) -> list[str]:
    """A line for each advisory that the image is older than."""
    found = []
    for advisory in known:
        fixed = advisory["fixed"][inside.branch]
        for version in sorted(inside.versions.get(advisory["package"], ())):
            if fixed is None or apk.order(version) < apk.order(fixed):
                found.append(f"{advisory['id']} {advisory['package']} {version}")
    return found
