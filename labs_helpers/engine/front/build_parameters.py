"""What a build request says of its base images, in Docker's API and in Podman's own.

Sources for Podman: https://github.com/containers/podman/blob/v5.4.2/pkg/bindings/images/build.go
(what a client sends), and for its meaning
https://github.com/containers/podman/blob/v5.4.2/pkg/api/handlers/compat/images_build.go and
https://docs.podman.io/en/latest/markdown/podman-build.1.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from labs_helpers.oci.reference import Reference

from ..api.build_request import build_arguments, registry_credentials
from ..credentials import Credentials, from_config_header
from ..platform import DEFAULT
from .http_messages import RequestHead
from .libpod_credentials import credentials_for

ALL_PLATFORMS = ("each", "of them")
"""The platforms of ``--all-platforms``: more than one, and only the daemon knows which."""


@dataclass(frozen=True)
class BuildParameters:
    """What the front has to know before it pulls the base images of a build."""

    files: tuple[tuple[str, ...], ...]
    """The parts of the Dockerfile. Each has one or more possible names; the first found counts."""
    arguments: Mapping[str, str | None]
    target: str
    platforms: tuple[str, ...]
    refresh: bool
    """Whether to pull base images that the daemon has already."""
    after_refresh: Mapping[str, str | None]
    """Parameters to send on once the front has refreshed the base images; None leaves one out."""
    credentials: Callable[[Reference], Credentials]
    first: str = ""
    """The image to use in place of the one that the first FROM names."""


def build_parameters(request: RequestHead) -> BuildParameters:
    """Read the parameters of ``POST /build`` or ``POST /libpod/build``. Raises BadRequest."""
    query = parse_qs(request.query, keep_blank_values=True)
    return _podman(request, query) if request.path == "/libpod/build" else _docker(request, query)


def _docker(request: RequestHead, query: Mapping[str, list[str]]) -> BuildParameters:
    config = request.headers.get("x-registry-config")
    platform = _text(query, "platform")
    return BuildParameters(
        files=((_text(query, "dockerfile") or "Dockerfile",),),
        arguments=build_arguments(_text(query, "buildargs")),
        target=_text(query, "target"),
        platforms=(platform,) if platform else (),
        refresh=_text(query, "pull").lower() not in ("", "0", "false", "no", "none"),
        after_refresh={"pull": None},
        credentials=lambda base: registry_credentials(base, from_config_header(config)),
    )


def _podman(request: RequestHead, query: Mapping[str, list[str]]) -> BuildParameters:
    # Podman's clients write parameter names in either case
    query = {key.lower(): values for key, values in query.items()}
    policy = _text(query, "pullpolicy").lower()
    platforms = tuple(filter(None, map(_full_platform, query.get("platform", []))))
    if _text(query, "allplatforms").lower() in ("1", "true"):
        platforms = ALL_PLATFORMS
    return BuildParameters(
        # with the policy "never", the daemon is to use the images that it has
        files=() if policy == "never" else _dockerfiles(_text(query, "dockerfile")),
        arguments=build_arguments(_text(query, "buildargs")),
        target=_text(query, "target"),
        platforms=platforms,
        # Podman pulls again for a platform that the client names, whatever the policy
        refresh=policy in ("always", "ifnewer") or bool(platforms),
        after_refresh={"pullpolicy": "never" if platforms else "missing"},
        credentials=lambda base: credentials_for(base, request.headers),
        first=_text(query, "from"),
    )


def _text(query: Mapping[str, list[str]], key: str) -> str:
    return query.get(key, [""])[0]


def _full_platform(given: str) -> str:
    """Complete a platform; "" for ``/``, which clients send for the daemon's own platform."""
    if not given.strip("/"):
        return ""
    system, _, rest = given.partition("/")
    return f"{system or DEFAULT.os}/{rest or DEFAULT.architecture}"


def _dockerfiles(given: str) -> tuple[tuple[str, ...], ...]:
    if not given:
        return (("Containerfile", "Dockerfile"),)
    try:
        names = json.loads(given)
    except ValueError:
        names = given
    return tuple((str(name),) for name in (names if isinstance(names, list) else [given]))
