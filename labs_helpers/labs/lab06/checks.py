"""Checks of lab 06: the files in an image, and its configuration."""

from __future__ import annotations

from labs_helpers.checks import images
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

VERSION = "org.opencontainers.image.version"
SERVED = "usr/share/nginx/html/index.html"


@check("06.1")
def small_site(world: World) -> Outcome:
    image = images.find("demo-site:small")
    if image is None:
        return NotAttempted("the local images", "there is no demo-site:small yet: docker build -t")
    paths = images.paths(image)
    drafts = sorted(path for path in paths if "drafts" in path.split("/"))
    if drafts:
        return NotYet(
            "every layer of demo-site:small",
            drafts[0],
            "no folder drafts in any layer",
            "what the last stage copies stays in its layer: which stage may hold the sources?",
        )
    if SERVED not in paths or not any(path.endswith("html/style.css") for path in paths):
        return NotYet(
            "every layer of demo-site:small",
            "no page of the site",
            f"/{SERVED} and its style.css",
            "the last stage takes site/public from an earlier one: COPY --from=",
        )
    found = image.labels.get(VERSION, "no such label")
    if found != "2.0.0":
        return NotYet(
            f"the label {VERSION}", found, "2.0.0", "the Dockerfile takes it from ARG VERSION"
        )
    return Passed(
        f"demo-site:small serves the page in {len(image.attrs['RootFS']['Layers'])} layers,"
        " without the drafts, as version 2.0.0.",
        "Whether the label is true, nobody checks: it is a note.",
    )


@check("06.2")
def written_for_production(world: World) -> Outcome:
    image = images.find("demo-app:prod")
    if image is None:
        return NotAttempted("the local images", "there is no demo-app:prod yet: docker build -t")
    config = image.attrs["Config"]
    environment = [entry for entry in config["Env"] or [] if entry.startswith("APP_ENV=")]
    if environment != ["APP_ENV=prod"]:
        return NotYet(
            "the environment in the image's settings",
            ", ".join(environment) or "no APP_ENV",
            "APP_ENV=prod",
            "ENV stays in the image; ARG is gone after the build",
        )
    ports = sorted(config.get("ExposedPorts") or {})
    if "8080/tcp" not in ports:
        return NotYet(
            "the ports in the image's settings",
            ", ".join(ports) or "none",
            "8080/tcp",
            "EXPOSE documents a port",
        )
    if SERVED not in images.paths(image) or "nginx" not in " ".join(config["Env"] or []).lower():
        return NotYet(
            "the layers of demo-app:prod",
            "no nginx with a page in it",
            f"nginx:alpine and /{SERVED}",
            "begin with FROM nginx:alpine, and COPY the page",
        )
    return Passed(
        "demo-app:prod has APP_ENV=prod, documents port 8080 and serves a page.",
        "nginx itself still listens on port 80: EXPOSE changes no program.",
    )
