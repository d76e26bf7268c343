"""Checks of lab 08: what ECR's scan of the pushed image says, and what was accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from labs_helpers import gate
from labs_helpers.checks import images, layers
from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.lab08.release import IMAGE, NEW_BASE, RELEASE, Release, scanned, tags

BASE = "base"
PIN = "6.0.2"
LABEL = "maintainer"
_TWO_WORDS = "the fix was to change two words"
PAGE = "usr/share/nginx/html/index.html"
ACCEPTED = Path("accepted.yaml")
RULES = gate.Rules(fail_on="MEDIUM")
LONGEST = timedelta(days=90)
LETTERS = 5
"""The fewest in a reason: "no fix" is one, "..." and "todo" are none."""
_PYYAML = re.compile(r"(?:^|/)pyyaml-(?P<version>[^/]+)\.dist-info/METADATA$", re.IGNORECASE)


def _built(release: Release) -> Finding | None:
    if release.tags[RELEASE] != release.tags.get(BASE):
        return None
    return Finding(
        f"the digest of {IMAGE}",
        f"that of myapp:{BASE}",
        "the base alone is not your application: which image did you push?",
    )


def _fixed(release: Release) -> Finding | None:
    if unscanned := scanned(release):
        return unscanned
    findings = release.scan.findings
    looked_at = f"ECR's scan of {IMAGE}"
    if fixable := [one for one in findings if one.fixed and not one.not_covered]:
        return Finding(looked_at, _listed(fixable), _advice(fixable))
    if unknown := [one for one in findings if one.not_covered]:
        return Finding(looked_at, _listed(unknown), "not judged is not clean: which version is it?")
    return None


def _on_new_base(release: Release) -> Finding | None:
    if release.image is None or not release.base:
        return None
    if layers.begins_with(release.image.diff_ids, release.base):
        return None
    return Finding(
        f"the lowest layers of {IMAGE}",
        f"not those of {NEW_BASE}",
        "the first line of the Dockerfile says what an image begins with",
    )


def _pinned(release: Release) -> Finding | None:
    found = sorted(m["version"] for path in release.files if (m := _PYYAML.search(path)))
    if found == [PIN]:
        return None
    return Finding(
        f"the Python packages in {IMAGE}",
        ", ".join(f"PyYAML {one}" for one in found) or "no PyYAML",
        "a scanner finds nothing in a package that is not there, and the application still needs it"
        if not found
        else "which version was the pin to name, and is it the only one?",
    )


def _page(release: Release) -> Finding | None:
    wanted = layers.sha256(Path("index.html"))
    if not wanted or release.files.get(PAGE) == wanted:
        return None
    return Finding(
        f"/{PAGE} in {IMAGE}",
        "another file than yours" if PAGE in release.files else "no such file",
        f"{_TWO_WORDS}: the page stays in the image",
    )


def _settings(release: Release) -> Finding | None:
    """What the Dockerfile and its base say of the image: the label, and what a container starts."""
    base = images.find(NEW_BASE)
    if release.image is None or base is None:
        return None
    config = release.image.config.get("config") or {}
    starts = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    wanted = base.attrs["Config"]
    if starts != [*(wanted.get("Entrypoint") or ()), *(wanted.get("Cmd") or ())]:
        return Finding(f"what starts when somebody runs {IMAGE}", json.dumps(starts), _TWO_WORDS)
    if LABEL not in release.image.labels:
        return Finding(f"the labels of {IMAGE}", f"no label {LABEL}", _TWO_WORDS)
    return None


RELEASE_FACTS = (
    Fact("build it", _built),
    Fact("fix the image", _fixed),
    Fact(f"the base moved to {NEW_BASE}", _on_new_base),
    Fact(f"the pin of PyYAML at {PIN}", _pinned),
    Fact("fix the image, with all that is in it", _page),
    Fact("fix the image, with all that is in it", _settings),
)


@check("08.1", RELEASE_FACTS)
def fixed(world: World) -> Outcome:
    names = tags(world.client("ecr"))
    if RELEASE not in names:
        near = sorted(set(names) - {"1.0.0", BASE, "shop", "scratch"})
        if near:
            return NotYet(
                "the tags of myapp", ", ".join(near), f"pushed as {IMAGE}", "compare the two tags"
            )
        return NotAttempted(f"{IMAGE} in the registry, and ECR's scan of it")
    release = Release(world, names)
    if found := unmet(RELEASE_FACTS, release):
        return found
    left = ", ".join(sorted({one.id for one in release.scan.findings})) or "nothing"
    return Passed(
        f"{IMAGE} is scanned. Nothing is left that has a fix; still there: {left}.",
        "Nothing more is known today. Advisories appear every day.",
    )


@dataclass(frozen=True)
class Acceptance:
    """The entries of accepted.yaml, the release's scan, and the day."""

    release: Release
    entries: tuple[gate.AcceptedRisk, ...]
    today: date

    @property
    def looked_at(self) -> str:
        return f"{ACCEPTED} and ECR's scan of {IMAGE}"


def _release_is_scanned(acceptance: Acceptance) -> Finding | None:
    if RELEASE not in acceptance.release.tags:
        return Finding(acceptance.looked_at, f"no image {IMAGE}", "do Your turn 1 first")
    return scanned(acceptance.release)


def _only_found(acceptance: Acceptance) -> Finding | None:
    known = {one.id for one in acceptance.release.scan.findings}
    for one in acceptance.entries:
        if one.id not in known:
            return Finding(
                acceptance.looked_at,
                f"{one.id}, which the image has not",
                "an entry that meets no finding hides the next one that does",
            )
    return None


def _only_unfixed(acceptance: Acceptance) -> Finding | None:
    fixable = {one.id: one.fixed for one in acceptance.release.scan.findings if one.fixed}
    for one in acceptance.entries:
        if one.id in fixable:
            return Finding(
                acceptance.looked_at,
                f"{one.id}, which has a fix",
                "what has a fix is fixed, not accepted",
            )
    return None


def _reason(acceptance: Acceptance) -> Finding | None:
    for one in acceptance.entries:
        if sum(map(str.isalpha, one.reason)) < LETTERS:
            return Finding(
                f"the reason of {one.id} in {ACCEPTED}",
                one.reason,
                "who reads this in three months, and has to decide again, needs words",
            )
    return None


def _ninety_days(acceptance: Acceptance) -> Finding | None:
    last = acceptance.today + LONGEST
    for one in acceptance.entries:
        looked_at = f"expires of {one.id} in {ACCEPTED}"
        if one.expires <= acceptance.today:
            return Finding(
                looked_at,
                f"{one.expires}, and today is {acceptance.today}",
                "on that day the acceptance is over: which day comes after today?",
            )
        if one.expires > last:
            return Finding(
                looked_at,
                f"{one.expires}, {(one.expires - acceptance.today).days} days from today",
                "who accepts for ever never looks again",
            )
    return None


def _gate_passes(acceptance: Acceptance) -> Finding | None:
    scan = acceptance.release.scan
    verdict = gate.judge(scan, RULES, acceptance.entries, acceptance.today)
    if verdict.passed:
        return None
    suggestion = "which finding does the gate still list, and does an entry name it?"
    return Finding(acceptance.looked_at, verdict.summary(), suggestion)


ACCEPTED_FACTS = (
    Fact(f"findings of {IMAGE}", _release_is_scanned),
    Fact("accept this one", _only_found),
    Fact("only what has no fix", _only_unfixed),
    Fact("with a reason", _reason),
    Fact("a day on which you look again, for 90 days at most", _ninety_days),
    Fact(f"labs gate {IMAGE} --fail-on MEDIUM --accept {ACCEPTED} passes", _gate_passes),
)


@check("08.2", ACCEPTED_FACTS)
def accepted_for_a_time(world: World) -> Outcome:
    if not ACCEPTED.exists():
        if near := sorted(Path().glob("accept*")):
            return NotYet(
                "the files of this lab's folder",
                ", ".join(map(str, near)),
                f"write {ACCEPTED}",
                "compare the two names",
            )
        return NotAttempted(f"the file {ACCEPTED} in this lab's folder")
    try:
        entries = gate.load(ACCEPTED)
    except gate.AcceptedRisksError as error:
        return NotYet(
            str(ACCEPTED),
            str(error),
            "an entry with id, reason and expires",
            "the message names the entry; the exercise shows the form of one",
        )
    today = world.now().date()
    acceptance = Acceptance(Release(world, tags(world.client("ecr"))), entries, today)
    if found := unmet(ACCEPTED_FACTS, acceptance):
        return found
    verdict = gate.judge(acceptance.release.scan, RULES, entries, today)
    return Passed(
        f"{verdict.summary()}.",
        "On the day after the last one the gate stops again, and somebody looks.",
    )


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
        return "the base is new; the pin of PyYAML is old"
    if "pyyaml" not in names:
        return "the pin is new; the base is old: what does the image begin with?"
    return "base and pin are old: did you build and push after the change?"
