"""A build on its way to the daemon: the images that it begins with are brought first."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode

from labs_helpers.oci.reference import Reference

from ..api.build_request import build_arguments, registry_credentials
from ..credentials import from_config_header
from ..errors import EngineError, NotSupported
from ..platform import Platform
from . import pulling
from .bases import Asked, bases, dockerfile_in
from .libpod_build import podman_asks
from .messages import Request
from .routes import is_ours
from .world import FrontWorld


def bring_bases(request: Request, context: Path, world: FrontWorld) -> str:
    """Bring what the Dockerfile in ``context``, a build context's tar, needs to the daemon.

    Returns the target to send on: without ``pull``, when that has been done here.

    Raises:
        EngineError: with what Docker says of a base that cannot be pulled.
    """
    asked = podman_asks(request) if request.path == "/libpod/build" else _docker_asks(request)
    dockerfile = _dockerfile(context, asked)
    if dockerfile is None:
        return request.target
    needed = bases(dockerfile, asked.arguments, asked.target, asked.first)
    ours = [one for one in needed if is_ours(str(one), world.hosts.has)]
    if not ours:
        return request.target
    if len(asked.platforms) > 1:
        raise NotSupported(
            f"{ours[0].familiar}: the labs bring a base for one platform. Build for one at a time"
        )
    for one in needed if asked.anew else ours:
        _bring(one, one in ours, asked, world)
    if not asked.anew:
        return request.target
    path, _, given = request.target.partition("?")
    changed = asked.once_brought
    kept = [(k, v) for k, v in parse_qsl(given, keep_blank_values=True) if k not in changed]
    kept += [(key, value) for key, value in changed.items() if value is not None]
    return f"{path}?{urlencode(kept)}"


def _docker_asks(request: Request) -> Asked:
    query = parse_qs(request.query, keep_blank_values=True)

    def text(key: str) -> str:
        return query.get(key, [""])[0]

    config = request.headers.get("x-registry-config")
    return Asked(
        files=((text("dockerfile") or "Dockerfile",),),
        arguments=build_arguments(text("buildargs")),
        target=text("target"),
        platforms=(text("platform"),) if text("platform") else (),
        anew=text("pull").lower() not in ("", "0", "false", "no", "none"),
        once_brought={"pull": None},
        credentials=lambda base: registry_credentials(base, from_config_header(config)),
    )


def _dockerfile(context: Path, asked: Asked) -> str | None:
    parts = []
    with context.open("rb") as tar:
        for names in asked.files:
            found = (dockerfile_in(tar, name) for name in names)
            parts.append(next((text for text in found if text is not None), None))
    known = [part for part in parts if part is not None]
    return "\n".join(known) if known and len(known) == len(parts) else None


def _bring(base: Reference, ours: bool, asked: Asked, world: FrontWorld) -> None:
    platform = asked.platforms[0] if asked.platforms else ""
    if not ours:
        world.daemon.pull(base, platform)
        return
    there = world.daemon.inspect(base.familiar)
    if there and not asked.anew and _fits(there, platform):
        return
    messages = pulling.pull(
        base,
        world.daemon,
        world.memory,
        world.hosts,
        asked.credentials(base),
        Platform.parse(platform) if platform else None,
        world.scratch,
    )
    for _ in messages:
        pass
    if base.digest and world.daemon.inspect(base.familiar) is None:
        raise EngineError(
            f"{base.familiar}: this daemon has no names with a digest for images that are loaded"
            " into it. Write the tag in FROM instead"
        )


def _fits(image: dict[str, object], platform: str) -> bool:
    if not platform:
        return True
    offered = [str(image.get(key) or "") for key in ("Os", "Architecture", "Variant")]
    return Platform.parse(platform).fits(*offered)
