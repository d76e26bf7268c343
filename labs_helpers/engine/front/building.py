"""A classic build on its way to the daemon: the images that it begins with are brought first."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode

from labs_helpers.oci.reference import Reference

from ..api.building import build_arguments, registry_credentials
from ..credentials import from_config_header
from ..errors import EngineError
from ..platform import Platform
from . import pulling
from .bases import bases, dockerfile_in
from .messages import Request
from .routes import is_ours
from .world import FrontWorld


def bring_bases(request: Request, context: Path, world: FrontWorld) -> str:
    """Bring what the Dockerfile in ``context``, a build context's tar, needs to the daemon.

    Returns the target to send on: without ``pull``, when that has been done here.

    Raises:
        EngineError: with what Docker says of a base that cannot be pulled.
    """
    query = parse_qs(request.query, keep_blank_values=True)

    def text(key: str) -> str:
        return query.get(key, [""])[0]

    with context.open("rb") as tar:
        dockerfile = dockerfile_in(tar, text("dockerfile") or "Dockerfile")
    if dockerfile is None:
        return request.target
    needed = bases(dockerfile, build_arguments(text("buildargs")), text("target"))
    ours = [one for one in needed if is_ours(str(one), world.hosts.has)]
    if not ours:
        return request.target
    anew = text("pull").lower() not in ("", "0", "false", "no", "none")
    for one in needed if anew else ours:
        _bring(one, one in ours, anew, text("platform"), request, world)
    if not anew:
        return request.target
    path, _, given = request.target.partition("?")
    kept = [(k, v) for k, v in parse_qsl(given, keep_blank_values=True) if k != "pull"]
    return f"{path}?{urlencode(kept)}"


def _bring(
    base: Reference, ours: bool, anew: bool, platform: str, request: Request, world: FrontWorld
) -> None:
    if not ours:
        world.daemon.pull(base, platform)
        return
    there = world.daemon.inspect(base.familiar)
    if there and not anew and _fits(there, platform):
        return
    given = from_config_header(request.headers.get("x-registry-config"))
    messages = pulling.pull(
        base,
        world.daemon,
        world.memory,
        world.hosts,
        registry_credentials(base, given),
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
