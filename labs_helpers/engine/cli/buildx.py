"""The labs' plugin docker-buildx, which Docker's command runs for ``docker build`` and ``buildx``.

Docker 23 and later pass ``docker build`` to the plugin buildx, which speaks to BuildKit only. In
the labs, ``docker build`` uses the classic builder, and so prints the same on every engine.
``docker buildx build``, and ``docker build`` with DOCKER_BUILDKIT=1, run the installed buildx when
the engine is the front of a Docker daemon. BuildKit, in that daemon, cannot reach the sandbox's
registries. So the base images of the Dockerfile are pulled first, and the tags are pushed after a
build with ``--push``, both through the front.

Source: https://github.com/docker/cli/blob/v28.2.2/cmd/docker/builder.go and
https://docs.docker.com/reference/cli/docker/buildx/build/
"""

from __future__ import annotations

import contextlib
import fnmatch
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..front.bases import bases
from ..hosts import ECR_HOSTS, HUB_HOSTS
from . import transfer
from .build import build_arguments
from .client import EngineClient, Failure, ResponseError
from .command_line import GLOBAL, LIST, SWITCH, Arguments, Help, Option, Usage, parse
from .images import path_of
from .main import main as docker

NAME = "docker-buildx"
PLACES = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
    "/opt/homebrew/lib/docker/cli-plugins",
    "/Applications/Docker.app/Contents/Resources/cli-plugins",
)
"""Docker's folders of plugins, except ~/.docker, which the labs do not read."""

_VALUES = (
    "add-host allow annotation attest build-arg build-context builder cache-from cache-to call"
    " cgroup-parent file iidfile label metadata-file network no-cache-filter output platform"
    " progress provenance sbom secret shm-size ssh tag target ulimit"
)
_SWITCHES = "check debug load no-cache pull push quiet"
_SHORT = {"file": "f", "output": "o", "tag": "t", "quiet": "q", "debug": "D"}
_BUILD = Usage(
    "buildx build",
    "PATH",
    "Start a build",
    options=[
        *(Option(name, _SHORT.get(name, ""), LIST) for name in _VALUES.split()),
        *(Option(name, _SHORT.get(name, ""), SWITCH) for name in _SWITCHES.split()),
    ],
)
_EMBEDDED = "the labs' own engine has docker build, and nothing more of buildx"
_NOT_FOUND = (
    "no buildx is in Docker's folders of plugins. Install it"
    " (https://github.com/docker/buildx#installing), or name it in LABS_BUILDX"
)
_ELSEWHERE = (
    "the builder {} does not reach the sandbox's registries; --builder default, which builds in the"
    " daemon, gets images from there and pushes to there by way of the labs"
)


def main(words: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Carry out ``docker <words>``, where ``buildx`` is a word; return the exit status."""
    environ = os.environ if environ is None else environ
    # Docker's command sets BUILDX_BUILDER for a plain `docker build`
    plain = "BUILDX_BUILDER" in environ and environ.get("DOCKER_BUILDKIT") != "1"
    try:
        options, words = _split(words)
        command = words[0] if words else "--help"
        is_build = command in ("build", "b")
        if not is_build or not plain:
            front = _in_front_of_a_daemon()
            plugin = installed_buildx(environ) if front else None
            if plugin:
                _refuse_imagetools(words)
                run = _Buildx(plugin, options)
                return _build(run, words[1:]) if is_build else run(words)
            if not is_build:
                raise Failure(f"docker buildx {command}: {_NOT_FOUND if front else _EMBEDDED}")
        return _classic_build(options, words[1:])
    except Failure as failure:
        print(failure.message, file=sys.stderr)
        return failure.code


def installed_buildx(environ: Mapping[str, str]) -> Path | None:
    """The path of buildx: LABS_BUILDX, or in Docker's folders of plugins; None when there is none.

    Raises Failure when LABS_BUILDX is not a command.
    """
    if named := environ.get("LABS_BUILDX"):
        found = shutil.which(Path(named).expanduser())
        if found is None:
            raise Failure(f"LABS_BUILDX names {named}, which is not a command")
        return Path(found).absolute()
    paths = (shutil.which(Path(place) / NAME) for place in PLACES)
    return next((Path(path) for path in paths if path), None)


def _in_front_of_a_daemon() -> bool:
    platform = EngineClient().json("/version").get("Platform") or {}
    return not str(platform.get("Name")).startswith("Labs engine")


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The options of ``docker`` itself, which come first, and the words after ``buildx``.

    --host and --config become environment variables. Raises Failure.
    """
    try:
        args = parse(GLOBAL, words, interspersed=False)
    except Help:
        # docker --help build
        after = words[words.index("buildx") + 1 :] if "buildx" in words else []
        return [], [*after, "--help"]
    for option, variable in (("host", "DOCKER_HOST"), ("config", "DOCKER_CONFIG")):
        if args.text(option):
            os.environ[variable] = args.text(option)
    options = list(words[: len(words) - len(args.positional)])
    name, rest = args.positional[:1], args.positional[1:]
    # docker help buildx
    return options, [*rest[1:], "--help"] if name == ["help"] else rest


@dataclass(frozen=True)
class _Buildx:
    """The installed buildx, and the options of ``docker`` itself for this call."""

    plugin: Path
    options: Sequence[str]

    def __call__(self, words: Sequence[str]) -> int:
        command = [str(self.plugin), *self.options, "buildx", *words]
        with contextlib.suppress(KeyboardInterrupt):
            return subprocess.run(command, check=False).returncode
        return 130


def _refuse_imagetools(words: Sequence[str]) -> None:
    """Raise Failure for ``imagetools`` on a sandbox registry, which buildx cannot reach."""
    if words[:1] != ["imagetools"]:
        return
    for word in words:
        with contextlib.suppress(InvalidReference):
            if _is_ecr(parsed := references.parse(word)):
                raise Failure(
                    "docker buildx imagetools asks the registry from your terminal, which does not"
                    f" know the way to the sandbox: docker manifest inspect {parsed.familiar}"
                )


def _build(run: _Buildx, words: Sequence[str]) -> int:
    try:
        args = parse(_BUILD, words)
    except (Failure, Help):
        # buildx reports its own errors
        return run(["build", *words])
    if args.text("builder", "default") != "default":
        print(f"note: {_ELSEWHERE.format(args.text('builder'))}", file=sys.stderr)
        return run(["build", *words])
    if any("type=registry" in output or "push=" in output for output in args.all("output")):
        raise Failure("docker buildx build --output: to push to the sandbox's registry, use --push")
    if args.on("push") and not args.all("tag"):
        raise Failure("docker buildx build --push: name what to push with --tag")
    engine = EngineClient()
    dropped = {"--push"} | ({"--pull"} if _pull_bases(args, engine) else set())
    code = run(["build", *(w for w in words if w.partition("=")[0] not in dropped)])
    for name in args.all("tag") if args.on("push") else ():
        code = code or docker(["push", name])
    return code


def _classic_build(options: Sequence[str], words: Sequence[str]) -> int:
    """Build with the labs' own engine, then push the tags if --push says so."""
    try:
        args = parse(_BUILD, words)
    except (Failure, Help):
        # `docker build` reports its own errors
        return docker([*options, "build", *words])
    if args.on("push") and not args.all("tag"):
        raise Failure("docker buildx build --push: name what to push with --tag")
    code = docker([*options, "build", *(w for w in words if w.partition("=")[0] != "--push")])
    for name in args.all("tag") if args.on("push") else ():
        code = code or docker([*options, "push", name])
    return code


def _pull_bases(args: Arguments, engine: EngineClient) -> bool:
    """Pull the base images from the sandbox; return whether all base images are there now."""
    names = list(_bases(args))
    ours = [name for name in names if _sandbox_may_serve(name)]
    platform = args.text("platform")
    for name in ours:
        if not args.on("pull") and _has(engine, name):
            continue
        words = [*(["--platform", platform] if platform else []), name.familiar]
        print(f"Pulling {name.familiar}, which BuildKit does not reach", file=sys.stderr)
        with contextlib.redirect_stdout(io.StringIO()):
            transfer.pull(parse(transfer.pull.usage, ["--quiet", *words]), engine)
    return bool(names) and len(ours) == len(names)


def _bases(args: Arguments) -> Iterator[Reference]:
    if len(args.positional) != 1:
        return
    context = Path(args.positional[0])
    file = Path(args.text("file")) if args.text("file") else context / "Dockerfile"
    if not context.is_dir() or not file.is_file():
        # standard input, a URL, or an error that buildx reports
        return
    text = file.read_text("utf-8", "replace")
    yield from bases(text, build_arguments(args), args.text("target"))


def _sandbox_may_serve(name: Reference) -> bool:
    return name.domain in HUB_HOSTS or _is_ecr(name)


def _is_ecr(name: Reference) -> bool:
    return any(fnmatch.fnmatchcase(name.domain, host) for host in ECR_HOSTS)


def _has(engine: EngineClient, name: Reference) -> bool:
    try:
        found: Any = engine.json(path_of(name.familiar) + "/json")
    except ResponseError as error:
        if error.status != 404:
            raise
        return False
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
