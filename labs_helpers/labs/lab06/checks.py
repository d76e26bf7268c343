"""Checks of lab 06: the files in an image, and its configuration."""

from __future__ import annotations

from pathlib import Path

from labs_helpers.checks import images, layers
from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.lab06 import dockerfile
from labs_helpers.labs.lab06.built import Built

SMALL, PROD = "demo-site:small", "demo-app:prod"
VERSION = "org.opencontainers.image.version"
SERVED = "usr/share/nginx/html"
"""The folder that the official nginx images serve; https://hub.docker.com/_/nginx"""
BASE = "nginx:alpine"


# demo-site:small


def _served_by_nginx(small: Built) -> Finding | None:
    bases = images.of_repository("nginx")
    on_one = any(small.is_on(base) for base in bases)
    # BuildKit keeps no image of the base, so its settings have to do where none is here
    if on_one or (not bases and any(one.startswith("NGINX_VERSION=") for one in small.environment)):
        return small.starts_nginx()
    return Finding(
        f"the lowest layers of {SMALL}",
        "not those of an nginx image",
        "what does the last stage begin with, and is there a web server in it?",
    )


def _page_of_the_site(small: Built) -> Finding | None:
    public = Path("site") / "public"
    for file in sorted(public.iterdir()) if public.is_dir() else [public / "index.html"]:
        if found := small.page_is(file, f"{SERVED}/{file.name}"):
            return found
    return None


def _serves_it(small: Built) -> Finding | None:
    return small.serves(Path("site", "public", "index.html"))


def _no_drafts(small: Built) -> Finding | None:
    drafts = {layers.sha256(one): one for one in Path("site", "drafts").glob("*") if one.is_file()}
    drafts.pop(layers.EMPTY, None)
    for number, layer in enumerate(small.layers, 1):
        for path, digest in sorted(layer.items()):
            if "drafts" in path.split("/") or digest in drafts:
                return Finding(
                    f"every layer of {SMALL}",
                    f"/{path} in layer {number} of {len(small.layers)}",
                    "what a stage copies stays in a layer of that stage: which stage may hold the"
                    " sources?",
                )
    return None


def _label(small: Built) -> Finding | None:
    found = small.image.labels.get(VERSION)
    if found == "2.0.0":
        return None
    return Finding(
        f"the label {VERSION} of {SMALL}",
        {None: "no such label", "": "the label is empty"}.get(found, found),
        _about_label(found),
    )


def _about_label(found: str | None) -> str:
    if found is None:
        return "a build argument alone leaves no label"
    if found:
        return "which value did the build get?"
    return "who put nothing in the variable's place: the shell that wrote the file, or the build?"


def _last_stage(small: Built) -> list[str]:
    """The instructions after those of the nginx image, if its base is one that is here."""
    for base in images.of_repository("nginx"):
        if small.is_on(base):
            return small.instructions[len(base.history()) :]
    return small.instructions


def _by_argument(small: Built) -> Finding | None:
    last = _last_stage(small)
    arguments = [one for one in last if one.startswith("ARG ")]
    labels = [one for one in last if one.startswith("LABEL ") and VERSION in one]
    where = f"the instructions that made {SMALL}"
    if not arguments:
        return Finding(
            where,
            "no argument in the last stage",
            "with a version that is written into the file, each release changes the file",
        )
    if not labels or not all("2.0.0" in one for one in labels):
        return Finding(
            where,
            "a label that no line of the Dockerfile sets to 2.0.0",
            "the line that writes the label: where does its value come from?",
        )
    lines = dockerfile.lines(Path(), last, VERSION)
    if lines and not any(line.by_argument for line in lines):
        return Finding(
            f"{lines[0].file}, from which {SMALL} was built",
            lines[0].text,
            "which label does the image get when the build is given another value?",
        )
    return None


SMALL_FACTS = (
    Fact("a page served by nginx", _served_by_nginx),
    Fact("the page of the folder site/", _page_of_the_site),
    Fact("without the folder drafts in any of its layers", _no_drafts),
    Fact(f"the label {VERSION} set to 2.0.0", _label),
    Fact("set by a build argument", _by_argument),
    Fact("a page served by nginx", _serves_it),
)


@check("06.1", SMALL_FACTS)
def small_site(world: World) -> Outcome:
    image = images.find(SMALL)
    if image is None:
        return NotAttempted(f"the local image {SMALL}: its files and its settings")
    return unmet(SMALL_FACTS, Built(SMALL, image)) or Passed(
        f"{SMALL} serves the page in {len(images.diff_ids(image))} layers,"
        " without the drafts, as version 2.0.0.",
        "Whether the label is true, nobody checks: it is a note.",
    )


# demo-app:prod


def _begins_with_base(prod: Built) -> Finding | None:
    base = images.find(BASE)
    if base is None:
        # BuildKit keeps no image of the base
        if any(one.startswith("NGINX_VERSION=") for one in prod.environment):
            return None
    elif prod.is_on(base):
        return None
    return Finding(
        f"the lowest layers of {PROD}",
        f"not those of {BASE}",
        "the first line of a Dockerfile says what an image begins with",
    )


def _environment(prod: Built) -> Finding | None:
    found = [one for one in prod.environment if one.upper().startswith("APP_ENV=")]
    if found == ["APP_ENV=prod"]:
        return None
    suggestion = "which instruction leaves a value behind, and from which file was this built?"
    if found:
        suggestion = "the program reads exactly this name and this value, letter by letter"
    return Finding(
        f"the environment in the settings of {PROD}", ", ".join(found) or "no APP_ENV", suggestion
    )


def _port(prod: Built) -> Finding | None:
    ports = sorted(prod.config.get("ExposedPorts") or {})
    if "8080/tcp" in ports:
        return None
    return Finding(
        f"the ports in the settings of {PROD}",
        ", ".join(ports) or "none",
        "one instruction documents a port; publishing one when a container starts is another thing",
    )


def _page(prod: Built) -> Finding | None:
    page = Path("index.html")
    return prod.page_is(page, f"{SERVED}/{page.name}") or prod.starts_nginx() or prod.serves(page)


PROD_FACTS = (
    Fact(f"{PROD} begins with {BASE}", _begins_with_base),
    Fact("the environment variable APP_ENV = prod", _environment),
    Fact("documents port 8080", _port),
    Fact("serves index.html", _page),
)


@check("06.2", PROD_FACTS)
def written_for_production(world: World) -> Outcome:
    image = images.find(PROD)
    if image is None:
        return NotAttempted(f"the local image {PROD}: its files and its settings")
    return unmet(PROD_FACTS, Built(PROD, image)) or Passed(
        f"{PROD} has APP_ENV=prod, documents port 8080 and serves your page.",
        "nginx itself still listens on port 80: documenting a port changes no program.",
    )
