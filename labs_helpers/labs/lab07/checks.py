"""Checks of lab 07: what the registry holds, and what a machine would pull."""

from __future__ import annotations

from pathlib import Path

from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

ANSWER = "production.txt"


@check("07.1")
def released(world: World) -> Outcome:
    looked_at = f"the tags of {world.repository}"
    tags = world.tags()
    if "2.0.0" not in tags:
        return NotAttempted(looked_at, "there is no 2.0.0 yet: tag the image and push that name")
    if "latest" not in tags:
        return NotYet(
            looked_at, ", ".join(sorted(tags)), "latest and 2.0.0", "both names belong to the image"
        )
    if tags["2.0.0"] != tags["latest"]:
        return NotYet(
            looked_at,
            f"2.0.0 is {tags['2.0.0']}\nlatest is {tags['latest']}",
            "one digest for both",
            "pull latest before you tag it: your local copy may be another image",
        )
    return Passed(
        "latest and 2.0.0 are the same image.",
        "Both tags can be moved, in a repository that is mutable: lab 04.",
    )


@check("07.2")
def pinned(world: World) -> Outcome:
    path = Path(ANSWER)
    if not path.exists():
        return NotAttempted(f"the file {ANSWER} in this lab's folder", "it is not written yet")
    found = path.read_text(encoding="utf-8").strip()
    name, _, digest = found.partition("@")
    wanted_name = f"{world.host()}/{world.repository}"
    if not digest:
        return NotYet(
            ANSWER, found, f"{wanted_name}@sha256:...", "a digest comes after an @, a tag after a :"
        )
    if name != wanted_name:
        return NotYet(ANSWER, name, wanted_name, "before the @ stands the repository, no tag")
    tags = world.tags()
    if digest != tags.get("latest"):
        return NotYet(
            ANSWER,
            digest,
            f"{tags.get('latest')}, which is latest now",
            "ask describe-images again",
        )
    answer = world.ask_registry(world.host(), world.fresh_login()).manifest(
        world.repository, digest
    )
    if answer.status != 200:
        return NotYet(f"the registry's answer to {found}", answer.says(), "a manifest", "push it")
    return Passed(
        "The registry gives exactly this image for the name in production.txt.",
        "When latest moves, production stays: that is the point, and now a choice to make.",
    )
