"""Checks of lab 07: what the registry holds, and what a machine would pull."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.checks import layers
from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.pushed import pushed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

ANSWER = "production.txt"
RELEASE = "2.0.0"
PAGE = "usr/share/nginx/html/index.html"


@dataclass(frozen=True)
class Tags:
    """Tag -> digest in the labs' repository."""

    world: World
    digests: dict[str, str]


def _as_well(tags: Tags) -> Finding | None:
    missing = {RELEASE, "latest"} - set(tags.digests)
    if not missing:
        return None
    return Finding(
        f"the tags of {tags.world.repository}",
        ", ".join(sorted(tags.digests)) or "none",
        "an image may have several names, and one more takes none away",
    )


def _same_image(tags: Tags) -> Finding | None:
    if tags.digests[RELEASE] == tags.digests["latest"]:
        return None
    return Finding(
        f"the tags of {tags.world.repository}",
        f"{RELEASE} is {tags.digests[RELEASE]}\nlatest is {tags.digests['latest']}",
        "the image that your machine calls latest may be another one than the registry's",
    )


def _is_version_2(tags: Tags) -> Finding | None:
    """The page in the image is that of the folder v2: what the lesson pushed as latest."""
    page = layers.sha256(Path("v2") / "index.html")
    world = tags.world
    image = pushed(world.ask_registry(world.host(), world.fresh_login()), world.repository, RELEASE)
    if not page or image is None:
        return None
    if layers.visible(image.files(max(0, len(image.diff_ids) - 2))).get(PAGE) == page:
        return None
    return Finding(
        f"the page in {world.repository}:{RELEASE}",
        "not the page of version 2",
        "did latest move after version 2 was pushed? describe-images shows what has which tag",
    )


RELEASE_FACTS = (
    Fact(f"latest gets the tag {RELEASE} as well", _as_well),
    Fact("the image that demo-app-repo:latest names", _same_image),
    Fact("release version 2", _is_version_2),
)


@check("07.1", RELEASE_FACTS)
def released(world: World) -> Outcome:
    tags = Tags(world, world.tags())
    near = [tag for tag in tags.digests if tag.startswith(("2", "v2", "V2", "release"))]
    as_found = "latest" in tags.digests or not tags.digests
    if RELEASE not in tags.digests and not near and as_found:
        return NotAttempted(f"the tags of {world.repository}")
    return unmet(RELEASE_FACTS, tags) or Passed(
        f"latest and {RELEASE} are the same image, version 2.",
        "Both tags can be moved, in a repository that is mutable: lab 04.",
    )


@dataclass(frozen=True)
class Written:
    """The text of production.txt, without the white space around it."""

    world: World
    text: str

    @property
    def name(self) -> str:
        return self.text.partition("@")[0]

    @property
    def digest(self) -> str:
        return self.text.partition("@")[2]


def _one_name(written: Written) -> Finding | None:
    lines = written.text.splitlines()
    if len(lines) == 1 and not set(written.text) & set(" \"'"):
        return None
    if not lines:
        return Finding(ANSWER, "an empty file", "what did the command before the > print?")
    if len(lines) > 1:
        return Finding(ANSWER, written.text, "a machine reads the whole file as one name")
    return Finding(ANSWER, written.text, "a name has no quotes and no spaces: JSON has quotes")


def _by_digest(written: Written) -> Finding | None:
    if re.fullmatch(r"sha256:[0-9a-f]{64}", written.digest):
        return None
    if not written.digest:
        suggestion = "a digest comes after an @, a tag after a :"
    elif written.digest in ("None", "null", "sha256:"):
        suggestion = "the question found no digest: did it ask for a tag that exists?"
    else:
        suggestion = "a digest is sha256: and 64 digits from 0 to f"
    return Finding(ANSWER, written.text, suggestion)


def _pulls_it(written: Written) -> Finding | None:
    wanted = f"{written.world.host()}/{written.world.repository}"
    if written.name == wanted:
        return None
    suggestion = "which registry, and which repository in it, holds the image?"
    if written.name.startswith("http"):
        suggestion = "a name begins with the registry's host, and has no https:// before it"
    elif written.name.startswith(f"{wanted}:"):
        suggestion = "a name with a tag and a digest: the digest alone decides, so the tag misleads"
    return Finding(f"{ANSWER}, before the @", written.name or "nothing", suggestion)


def _latest_now(written: Written) -> Finding | None:
    world = written.world
    tags = world.tags()
    registry = world.ask_registry(world.host(), world.fresh_login())
    if written.digest == tags.get("latest"):
        answer = registry.manifest(world.repository, written.digest)
        if answer.status == 200:
            return None
        return Finding(f"what the registry says to {ANSWER}", answer.says(), "push it again")
    latest = pushed(registry, world.repository, "latest")
    others = sorted(tag for tag, digest in tags.items() if digest == written.digest)
    if others:
        found = f"the image that is tagged {', '.join(others)}"
    elif latest and latest.manifest["config"]["digest"] == written.digest:
        found = "the id of the image on this machine, which no registry is asked by"
    else:
        found = written.digest
    return Finding(ANSWER, found, "which digest has the registry under this tag now?")


PIN_FACTS = (
    Fact("the name under which production pulls it", _one_name),
    Fact("by digest and not by tag", _by_digest),
    Fact(".../demo-app-repo@sha256:...", _pulls_it),
    Fact("the image that is tagged latest now", _latest_now),
)


@check("07.2", PIN_FACTS)
def pinned(world: World) -> Outcome:
    path = Path(ANSWER)
    if not path.exists():
        return NotAttempted(f"the file {ANSWER} in this lab's folder")
    written = Written(world, path.read_text(encoding="utf-8", errors="replace").strip())
    return unmet(PIN_FACTS, written) or Passed(
        f"The registry gives exactly this image for the name in {ANSWER}.",
        "When latest moves, production stays: that is the point, and now a choice to make.",
    )
