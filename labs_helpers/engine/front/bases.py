"""Find the base images of a build: those that its Dockerfile begins with or copies from.

The classic builder of a daemon would pull them itself, and cannot reach the sandbox, so the front
pulls them first. The front does not see the Dockerfile of a BuildKit build. BuildKit, too, takes a
base image that the daemon has: there, the learner runs ``docker pull`` first.
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Mapping
from typing import BinaryIO

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..build.arguments import BuildArguments
from ..build.dockerfile import Dockerfile, read
from ..build.errors import BuildError, DockerfileError
from ..build.expansion import expand

_DOCKERFILE_LIMIT = 4 * 1024 * 1024
_SCRATCH = "scratch"


def dockerfile_in(context: BinaryIO, name: str) -> str | None:
    """Return the text of a file in a build context, a tar, compressed or not; None without it."""
    wanted = posixpath.normpath(name)
    context.seek(0)
    try:
        with tarfile.open(fileobj=context, mode="r:*") as tar:
            for member in tar:
                if posixpath.normpath(member.name) == wanted and member.isreg():
                    file = tar.extractfile(member)
                    data = file.read(_DOCKERFILE_LIMIT) if file else b""
                    return data.decode(errors="replace")
    except (tarfile.TarError, EOFError, OSError):
        # we cannot read this tar: let the daemon say what is wrong with it
        return None
    return None


def bases(
    text: str, given: Mapping[str, str | None], target: str, first: str = ""
) -> list[Reference]:
    """Return the images that a build of a Dockerfile needs; none if we cannot read it.

    ``given`` are the build arguments. ``target`` is the stage to build, "" for the last. ``first``
    replaces the image that the first FROM names, as ``podman build --from`` does.
    """
    try:
        dockerfile = read(text)
        if target:
            dockerfile = dockerfile.until(target)
        names = _names(dockerfile, given, first)
    except (DockerfileError, BuildError):
        # the daemon understands more Dockerfiles than we do: let it judge this one
        return []
    found = {}
    for name in names:
        try:
            parsed = references.parse(name)
        except InvalidReference:
            continue
        found[str(parsed)] = parsed
    return list(found.values())


def _names(dockerfile: Dockerfile, given: Mapping[str, str | None], first: str) -> list[str]:
    arguments = BuildArguments(given)
    for instruction in dockerfile.arguments:
        for declared in instruction.args:
            name, equals, default = declared.partition("=")
            known = arguments.before_from()
            value = expand(default, known, dockerfile.escape, instruction.line) if equals else None
            arguments.declare_global(name, value)
    names: list[str] = []
    stages: set[str] = {_SCRATCH}
    for place, stage in enumerate(dockerfile.stages):
        known = arguments.before_from()
        base = first if first and place == 0 else stage.base
        base = expand(base, known, dockerfile.escape, stage.start.line)
        if base.lower() not in stages:
            names.append(base)
        for instruction in stage.instructions:
            source = instruction.flags.get("from", "") if instruction.name == "COPY" else ""
            if source and source.lower() not in stages:
                names.append(source)
        stages |= {stage.name, str(place)} - {""}
    return names
