"""Pull the base images of a build into the daemon before the daemon gets the build."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from labs_helpers.oci.reference import Reference

from ..errors import EngineError, NotSupported
from ..hosts import api_host
from ..platform import Platform
from .bases import bases, dockerfile_in
from .build_parameters import BuildParameters, build_parameters
from .http_messages import RequestHead
from .pulling import pull
from .resources import Resources


def pull_bases(request: RequestHead, context: Path, resources: Resources) -> str:
    """Pull the sandbox's images that the Dockerfile in ``context``, a tar, needs.

    Returns the target for the daemon, without a pull that has been done here. Raises EngineError
    with Docker's message when a base image cannot be pulled.
    """
    parameters = build_parameters(request)
    dockerfile = _dockerfile(context, parameters)
    if dockerfile is None:
        return request.target
    needed = bases(dockerfile, parameters.arguments, parameters.target, parameters.first)
    ours = [base for base in needed if resources.hosts.has(api_host(base.domain))]
    if not ours:
        return request.target
    if len(parameters.platforms) > 1:
        raise NotSupported(
            f"{ours[0].familiar}: the labs bring a base for one platform. Build for one at a time"
        )
    platform = parameters.platforms[0] if parameters.platforms else ""
    for base in needed:
        if base in ours:
            _pull(base, platform, parameters, resources)
        elif parameters.refresh:
            resources.daemon.pull(base, platform)
    return _target_after_refresh(request, parameters) if parameters.refresh else request.target


def _target_after_refresh(request: RequestHead, parameters: BuildParameters) -> str:
    path = request.target.partition("?")[0]
    changed = parameters.after_refresh
    query = parse_qsl(request.query, keep_blank_values=True)
    query = [(key, value) for key, value in query if key not in changed]
    query += [(key, value) for key, value in changed.items() if value is not None]
    return f"{path}?{urlencode(query)}"


def _dockerfile(context: Path, parameters: BuildParameters) -> str | None:
    """Return the text of all parts of the Dockerfile; None when one is missing."""
    parts = []
    with context.open("rb") as tar:
        for names in parameters.files:
            found = (dockerfile_in(tar, name) for name in names)
            parts.append(next((text for text in found if text is not None), None))
    present = [part for part in parts if part is not None]
    return "\n".join(present) if present and len(present) == len(parts) else None


def _pull(
    base: Reference, platform: str, parameters: BuildParameters, resources: Resources
) -> None:
    image = resources.daemon.inspect(base.familiar)
    if image and not parameters.refresh and _fits(image, platform):
        return
    wanted = Platform.parse(platform) if platform else None
    for _ in pull(base, parameters.credentials(base), wanted, resources):
        pass
    if base.digest and resources.daemon.inspect(base.familiar) is None:
        raise EngineError(
            f"{base.familiar}: this daemon does not keep a name with a digest for an image that is"
            " loaded into it. Write the tag in FROM instead"
        )


def _fits(image: dict[str, object], platform: str) -> bool:
    if not platform:
        return True
    offered = [str(image.get(key) or "") for key in ("Os", "Architecture", "Variant")]
    return Platform.parse(platform).fits(*offered)
