"""What `podman --remote build` says of the images that a build begins with.

Sources: https://github.com/containers/podman/blob/v5.4.2/pkg/bindings/images/build.go (what is
sent), https://github.com/containers/podman/blob/v5.4.2/pkg/api/handlers/compat/images_build.go
(what it means), https://docs.podman.io/en/latest/markdown/podman-build.1.html
"""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from ..api.build_request import build_arguments
from ..platform import DEFAULT
from .bases import Asked
from .libpod_credentials import credentials_for
from .messages import Request

EVERYWHERE = ("each", "of them")
"""``--all-platforms``: more than one, and only the daemon would know which."""


def podman_asks(request: Request) -> Asked:
    """The parameters of ``POST /libpod/build``. Raises BadRequest."""
    query = {
        key.lower(): values
        for key, values in parse_qs(request.query, keep_blank_values=True).items()
    }

    def text(key: str) -> str:
        return query.get(key, [""])[0]

    policy = text("pullpolicy").lower()
    platforms = tuple(filter(None, map(_platform, query.get("platform", []))))
    if text("allplatforms").lower() in ("1", "true"):
        platforms = EVERYWHERE
    return Asked(
        # the daemon is told to take what it has
        files=() if policy == "never" else _files(text("dockerfile")),
        arguments=build_arguments(text("buildargs")),
        target=text("target"),
        platforms=platforms,
        # for a platform that is named Podman does not trust what it has, whatever the policy
        anew=policy in ("always", "ifnewer") or bool(platforms),
        once_brought={"pullpolicy": "never" if platforms else "missing"},
        credentials=lambda base: credentials_for(base, request.headers),
        first=text("from"),
    )


def _platform(given: str) -> str:
    """In full; "" of ``/``, which clients send for the machine's own."""
    if not given.strip("/"):
        return ""
    system, _, rest = given.partition("/")
    return f"{system or DEFAULT.os}/{rest or DEFAULT.architecture}"


def _files(given: str) -> tuple[tuple[str, ...], ...]:
    if not given:
        return (("Containerfile", "Dockerfile"),)
    try:
        names = json.loads(given)
    except ValueError:
        names = given
    return tuple((str(name),) for name in (names if isinstance(names, list) else [given]))
