"""The images that a Dockerfile begins with or copies from, before anything is built.

The classic builder of a daemon pulls them itself, and cannot reach the sandbox: so they are
brought to it first. BuildKit reads the Dockerfile where we do not see it; but it, too, takes a base
that the daemon has, so there `docker pull` of the base comes first.
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..build.arguments import BuildArguments, expand
from ..build.dockerfile import Dockerfile, read
from ..build.errors import BuildError, DockerfileError
from ..credentials import Credentials

_DOCKERFILE_LIMIT = 4 * 1024 * 1024
NOTHING = "scratch"


@dataclass(frozen=True)
class Asked:
    """What the parameters of a build say of its bases."""

    files: tuple[tuple[str, ...], ...]
    """The Dockerfile's parts, each by the names that it may have, the likeliest first."""
    arguments: Mapping[str, str | None]
    target: str
    platforms: tuple[str, ...]
    anew: bool
    """Whether bases are wanted as the registry has them now."""
    once_brought: Mapping[str, str | None]
    """Parameters to change, or to leave out, when ``anew`` has been seen to here."""
    credentials: Callable[[Reference], Credentials]
    first: str = ""
    """What stands for the image that the first FROM names."""


def dockerfile_in(context: BinaryIO, name: str) -> str | None:
    """The text of the Dockerfile in a build context, a tar, compressed or not; None without."""
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
        # no tar that we can read: the daemon says what is wrong with it
        return None
    return None


def bases(
    text: str, given: Mapping[str, str | None], target: str, first: str = ""
) -> list[Reference]:
    """The images that a build of ``target`` needs; none of a Dockerfile that is not understood.

    ``first`` stands for what the first FROM names, as in ``podman build --from``.
    """
    try:
        dockerfile = read(text)
        if target:
            dockerfile = dockerfile.until(target)
        names = _names(dockerfile, given, first)
    except (DockerfileError, BuildError):
        # the daemon, which knows more Dockerfiles than we do, is to judge it
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
    stages: set[str] = {NOTHING}
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
