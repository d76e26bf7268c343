"""The builder: from a context and a Dockerfile to an image, with Docker's messages.

The messages are those of Docker's classic builder (DOCKER_BUILDKIT=0). ``Running in`` and ``Removed
intermediate container`` are printed for RUN only, as other steps run nothing. The container ID in
them is derived from the step, so that a repeated build prints the same.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import BinaryIO

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from ..errors import BadRequest
from ..glob import BadPattern
from ..ignore import IgnorePatterns
from ..platform import Platform
from ..store import Image, ImageStore, NoSuchImage
from . import dockerfile, tar_reader
from .arguments import BuildArguments
from .dispatch import Dispatcher
from .dockerfile import Dockerfile, Instruction, Stage
from .errors import BuildError, DockerfileError
from .expansion import check_length, expand
from .options import BuildOptions
from .stage import Message, StageState
from .tree import FILE, LinkLoop, Tree

Pull = Callable[[str, str], Image | Iterable[Message]]
"""Pulls an image that the store lacks, by name and platform ("" is the default)."""

_DOCKERFILE_LIMIT = 4 * 1024 * 1024


def build(
    context: BinaryIO, options: BuildOptions, store: ImageStore, pull: Pull
) -> Iterator[Message]:
    """Build an image.

    Args:
        context: a tar, plain or compressed; read once, spooled to disk.
        pull: returns the image, or progress messages after which the store has the image. Its
            exceptions end the build.

    Returns:
        Docker's messages: ``{"stream": text}`` and, at the end, ``{"aux": {"ID": id}}``.

    Raises:
        DockerfileError: at once, for an invalid Dockerfile or context (HTTP 400).
        BuildError: during the iteration, when a step fails (an error in the stream).
        InvalidReference: at once, for a malformed tag.
    """
    for tag in options.tags:
        references.parse(tag)
    files = tar_reader.read_context(context, options.scratch)
    plan = dockerfile.read(_dockerfile_text(files, options.dockerfile))
    if options.target:
        plan = plan.until(options.target)
    _remove_ignored(files, options.dockerfile)
    run = _Build(files, plan, options, store, pull)
    return _quiet(run.messages()) if options.quiet else run.messages()


def _dockerfile_text(files: Tree, name: str) -> str:
    path = posixpath.normpath(name)
    if path == ".." or path.startswith("../"):
        raise DockerfileError(f"forbidden path outside the build context: {name} ()")
    try:
        entry = files.get(files.resolve(path))
    except LinkLoop:
        entry = None
    if entry is None or entry.kind != FILE or entry.open is None:
        raise DockerfileError(f"Cannot locate specified Dockerfile: {name}")
    if entry.size == 0:
        raise DockerfileError(f"the Dockerfile ({name}) cannot be empty")
    if entry.size > _DOCKERFILE_LIMIT:
        raise DockerfileError(f"the Dockerfile ({name}) is larger than {_DOCKERFILE_LIMIT} bytes")
    with entry.open() as file:
        return file.read().decode("utf-8", "replace")


def _remove_ignored(files: Tree, name: str) -> None:
    """Remove .dockerignore and the Dockerfile if ignored; clients send both in any case."""
    entry = files.get(".dockerignore")
    if entry is None or entry.open is None:
        return
    with entry.open() as file:
        lines = file.read().decode("utf-8", "replace").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        ignored = IgnorePatterns(patterns)
    except BadPattern as error:
        raise DockerfileError(f"error reading .dockerignore: {error}") from error
    for path in (".dockerignore", posixpath.normpath(name)):
        if ignored.leaves_out(path):
            files.remove(path)


def _quiet(messages: Iterator[Message]) -> Iterator[Message]:
    """Yield the image's ID only; after a failure, all messages of the build."""
    messages_so_far: list[Message] = []
    identity = ""
    try:
        for message in messages:
            messages_so_far.append(message)
            identity = message.get("aux", {}).get("ID", identity)
    except Exception:
        yield from messages_so_far
        raise
    yield {"stream": f"{identity}\n"}


def _is_for(image: Image, platform: str) -> bool:
    keys = ("os", "architecture", "variant")
    return Platform.parse(platform).fits(*(str(image.config.get(key) or "") for key in keys))


class _Build:
    """One build under way."""

    def __init__(
        self, files: Tree, plan: Dockerfile, options: BuildOptions, store: ImageStore, pull: Pull
    ) -> None:
        self._files, self._plan, self._options, self._store = files, plan, options, store
        self._pull = pull
        self._arguments = BuildArguments(options.build_args, options.platform)
        self._epoch = _epoch(options)
        self._stages: list[StageState] = []
        self._number = 0
        self._total = (
            len(plan.arguments)
            + sum(1 + len(stage.instructions) for stage in plan.stages)
            + len(options.labels)
        )

    def messages(self) -> Iterator[Message]:
        try:
            yield from self._messages()
        finally:
            for state in self._stages:
                state.close()

    def _messages(self) -> Iterator[Message]:
        for argument in self._plan.arguments:
            yield from self._step(argument)
            variables = self._arguments.before_from()
            for word in argument.args:
                name, equals, value = word.partition("=")
                text = expand(value, variables, self._plan.escape, argument.line)
                check_length("ARG", name, text, argument.line)
                self._arguments.declare_global(name, text if equals else None)
        for stage in self._plan.stages:
            yield from self._stage(stage)
        yield from self._finish(self._stages[-1])

    def _step(self, instruction: Instruction) -> Iterator[Message]:
        # a quiet build writes nothing that would fail
        if self._options.is_gone():
            raise BuildError("The client has gone; the build ends", instruction.line)
        self._number += 1
        text = f"Step {self._number}/{self._total} : {instruction.original}"
        yield {"stream": text}
        yield {"stream": "\n"}

    def _stage(self, stage: Stage) -> Iterator[Message]:
        yield from self._step(stage.start)
        self._arguments.new_stage()
        base = yield from self._base(stage)
        state = StageState(self._store, self._options, self._epoch, base)
        dispatcher = Dispatcher(
            state, self._files, self._arguments, self._plan.escape, self._other_root
        )
        triggers = state.config.pop("OnBuild", None) or []
        self._stages.append(state)
        if triggers:
            plural = "s" if len(triggers) > 1 else ""
            yield {"stream": f"# Executing {len(triggers)} build trigger{plural}"}
            yield {"stream": "\n"}
        for trigger in triggers:
            step = dockerfile.read_trigger(trigger, self._plan.escape)
            for message in dispatcher.run(step):
                # one line after all triggers shows the image
                if message != state.image_message():
                    yield message
        yield state.image_message()
        labels: list[Instruction] = []
        if stage is self._plan.stages[-1]:
            labels = [_label(name, value) for name, value in sorted(self._options.labels.items())]
        for instruction in (*stage.instructions, *labels):
            yield from self._step(instruction)
            # the shell has expanded the labels from the command line
            yield from dispatcher.run(instruction, literal=instruction in labels)

    def _base(self, stage: Stage) -> Generator[Message, None, Image | None]:
        variables = self._arguments.before_from()
        platform = expand(stage.platform, variables, self._plan.escape, stage.start.line)
        try:
            if platform:
                Platform.parse(platform)
        except BadRequest as error:
            raise BuildError(
                f"failed to parse platform {platform}: {error}", stage.start.line
            ) from error
        name = expand(stage.base, variables, self._plan.escape, stage.start.line)
        if not name:
            raise BuildError(f"base name ({stage.base}) should not be blank", stage.start.line)
        for place, earlier in enumerate(self._plan.stages[: len(self._stages)]):
            if earlier.name and earlier.name == name.lower():
                return self._stages[place].image
        if name == "scratch":
            return None
        return (yield from self._image(name, stage.start.line, platform))

    def _image(self, name: str, line: int, platform: str = "") -> Generator[Message, None, Image]:
        try:
            references.parse(name)
        except InvalidReference as error:
            raise BuildError(str(error), line) from error
        platform = platform or self._options.platform
        if not self._options.pull:
            try:
                found = self._store.find(name)
            except NoSuchImage:
                pass  # pulled below
            else:
                if not platform or _is_for(found, platform):
                    return found
        pulled = self._pull(name, platform)
        if isinstance(pulled, Image):
            return pulled
        yield from pulled
        return self._store.find(name)

    def _other_root(self, name: str, line: int) -> Generator[Message, None, Tree]:
        """The files for ``COPY --from=name``, a stage (by name or number) or an image."""
        for place, stage in enumerate(self._plan.stages[: len(self._stages)]):
            if name.lower() == stage.name or name == str(place):
                if place == len(self._stages) - 1:
                    raise BuildError(
                        f"invalid from flag value {name}: refers to current build stage", line
                    )
                return self._stages[place].root()
        if name.isascii() and name.isdigit():
            raise BuildError(f"invalid from flag value {name}: index out of bounds", line)
        try:
            image = yield from self._image(name, line)
        except BuildError as error:
            raise BuildError(f"invalid from flag value {name}: {error}", line) from error
        return StageState(self._store, self._options, self._epoch, image).root()

    def _finish(self, last: StageState) -> Iterator[Message]:
        unused = self._arguments.unused()
        if unused:
            text = f"[Warning] One or more build-args [{' '.join(unused)}] were not consumed\n"
            yield {"stream": text}
        if last.image is None:
            raise BuildError("No image was generated. Is your Dockerfile empty?")
        yield {"aux": {"ID": last.image.id}}
        yield {"stream": f"Successfully built {last.image.short_id}\n"}
        for tag in self._options.tags:
            named = self._store.tag(last.image, tag)
            yield {"stream": f"Successfully tagged {named.familiar}\n"}


def _label(name: str, value: str) -> Instruction:
    text = f"LABEL {name}={value}"
    return Instruction("LABEL", text, (name, value, "="), 0)


def _epoch(options: BuildOptions) -> int:
    """The Unix time of all images and files of a build: SOURCE_DATE_EPOCH, else 0.

    Source: https://reproducible-builds.org/specs/source-date-epoch/
    """
    text = options.build_args.get("SOURCE_DATE_EPOCH") or "0"
    if not (text.isascii() and text.isdigit() and int(text[:12]) < 2**33 and len(text) < 12):
        raise DockerfileError(f"SOURCE_DATE_EPOCH is not a number of seconds: {text}")
    return int(text)
