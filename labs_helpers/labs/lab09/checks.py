"""Checks of lab 09: the image that a pipeline pushed, and the file that names this image."""

from __future__ import annotations

import json
from pathlib import Path

from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

COMMIT = "9b1d4e7c2f5a8063d1e4b7a0c3f6928d5e8b1a47"
TAG = COMMIT[:7]
RECORD = "artifacts/imagedefinitions.json"
GOOD, BAD, LIVE = "4f2a91c", "e07b3d5", "production"


@check("09.1")
def recorded_by_digest(world: World) -> Outcome:
    tags = world.tags()
    digest = tags.get(TAG)
    if digest is None:
        return NotAttempted(
            f"the tags of {world.repository}",
            f"there is no tag {TAG} yet, the first seven characters of the commit id",
        )
    found = _uri(Path(RECORD))
    wanted = f"{world.host()}/{world.repository}@{digest}"
    if found != wanted:
        return NotYet(f"imageUri in {RECORD}", found, wanted, _advice(found, wanted))
    return Passed(
        f"The commit {TAG} is in the registry, and {RECORD} names it by digest.",
        "What the deployment does with that file, only AWS shows.",
    )


def _uri(path: Path) -> str:
    """``imageUri`` of the file's one container, or words for what is there instead."""
    if not path.exists():
        return "no such file"
    try:
        (entry,) = json.loads(path.read_text(encoding="utf-8"))
        return str(entry["imageUri"])
    except (ValueError, KeyError, TypeError):
        return "not a list of one container with name and imageUri"


def _advice(found: str, wanted: str) -> str:
    name = wanted.partition("@")[0]
    if found == f"{name}@":
        return "the digest is empty: ask for it after the push, not before"
    if found.startswith(f"{name}:"):
        return "this is a tag, and a tag can move: after the push, describe-images knows the digest"
    if found.startswith(f"{name}@"):
        return f"this is another image: ask describe-images for the one tagged {TAG}"
    return "the last command of post_build writes this file: look at its quotes"


@check("09.2")
def rolled_back(world: World) -> Outcome:
    looked_at = f"the tags of {world.repository}"
    tags = world.tags()
    if not {GOOD, BAD} <= set(tags):
        return NotYet(
            looked_at,
            ", ".join(sorted(tags)) or "none",
            f"{GOOD} and {BAD}",
            "a rollback deletes nothing: run the cells that made the two releases again",
        )
    live = tags.get(LIVE)
    if live == tags[BAD]:
        return NotAttempted(looked_at, f"{LIVE} is still the image of {BAD}")
    if live != tags[GOOD]:
        return NotYet(
            looked_at,
            f"{LIVE} is {live or 'no tag of any image'}",
            f"{tags[GOOD]}, which is {GOOD}",
            "do not build: the image that worked is still in the registry",
        )
    return Passed(
        f"{LIVE} is {GOOD} again, to the last byte, and {BAD} is still there to be looked into.",
        "Servers that run already change only when they are told to deploy.",
    )
