"""The builder: a context and a Dockerfile to images, told as Docker's message stream.

The words are those of Docker's classic builder (DOCKER_BUILDKIT=0). ``Running in`` and ``Removed
intermediate container`` are printed for RUN only, since nothing runs for other steps, with an id
made of the step: random ones would make each build's output differ.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import BinaryIO

from e2b_dockerfile_utils import PatternMatcher

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from ..errors import BadRequest
from ..platform import Platform
from ..store import Image, ImageStore, NoSuchImage
from . import dockerfile, tar_reader
from .arguments import Arguments, expand
from .dispatch import Dispatcher
from .dockerfile import Dockerfile, Instruction, Stage
from .errors import BuildError, DockerfileError
from .options import BuildOptions
from .stage import Message, StageState
from .tree import FILE, LinkLoop, Tree

Pull = Callable[[str, str], Image | Iterable[Message]]

_DOCKERFILE_LIMIT = 4 * 1024 * 1024


def build(
    context: BinaryIO, options: BuildOptions, store: ImageStore, pull: Pull
) -> Iterator[Message]:
    """Build an image.

    Args:
        context: a tar, plain or compressed; read once, spooled to disk.
        pull: gets an image that the store lacks, by name and platform ("" is the default); it
            returns the image, or progress messages after which the store has it. What it raises
            ends the build.

    Returns:
        Docker's messages: ``{"stream": text}`` and, at the end, ``{"aux": {"ID": id}}``.

    Raises:
        DockerfileError: at once, when nothing can be built (HTTP 400).
        BuildError: while iterating, when a step fails (in-stream error).
        InvalidReference: at once, when a tag is not one.
    """
    for tag in options.tags:
        references.parse(tag)
    files = tar_reader.read_context(context, options.scratch)
    plan = dockerfile.read(_dockerfile_text(files, options.dockerfile))
    if options.target:
        plan = plan.until(options.target)
    _ignore(files, options.dockerfile)
    run = _Build(files, plan, options, store, pull)
    return _quiet(run.messages()) if options.quiet else run.messages()


def _dockerfile_text(files: Tree, name: str) -> str:
    path = posixpath.normpath(name)
    if path == ".." or path.startswith("../"):
        raise DockerfileError(f"Forbidden path outside the build context: {name} ()")
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


def _ignore(files: Tree, name: str) -> None:
    """Leave out what clients send although .dockerignore names it: itself and the Dockerfile."""
    entry = files.get(".dockerignore")
    if entry is None or entry.open is None:
        return
    with entry.open() as file:
        lines = file.read().decode("utf-8", "replace").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        matcher = PatternMatcher(patterns)
    except ValueError as error:
        raise DockerfileError(f"failed to read .dockerignore: {error}") from error
    for path in (".dockerignore", posixpath.normpath(name)):
        if matcher.matches(path):
            files.remove(path)


def _quiet(messages: Iterator[Message]) -> Iterator[Message]:
    """The image's ID only; when the build fails, all that was said until then."""
    held: list[Message] = []
    identity = ""
    try:
        for message in messages:
            held.append(message)
            identity = message.get("aux", {}).get("ID", identity)
    except Exception:
        yield from held
        raise
    yield {"stream": f"{identity}\n"}


def _is_of(image: Image, platform: str) -> bool:
    keys = ("os", "architecture", "variant")
    return Platform.parse(platform).fits(*(str(image.config.get(key) or "") for key in keys))


class _Build:
    """One run of a build."""

    def __init__(
        self, files: Tree, plan: Dockerfile, options: BuildOptions, store: ImageStore, pull: Pull
    ) -> None:
        self._files, self._plan, self._options, self._store = files, plan, options, store
        self._pull = pull
        self._arguments = Arguments(options.build_args, options.platform)
        self._epoch = _epoch(options)
        self._done: list[StageState] = []
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
            for state in self._done:
                state.close()

    def _messages(self) -> Iterator[Message]:
        for argument in self._plan.arguments:
            yield from self._step(argument)
            known = self._arguments.before_from()
            for word in argument.args:
                name, equals, value = word.partition("=")
                text = expand(value, known, self._plan.escape, argument.line)
                self._arguments.declare_global(name, text if equals else None)
        for stage in self._plan.stages:
            yield from self._stage(stage)
        yield from self._finish(self._done[-1])

    def _step(self, instruction: Instruction) -> Iterator[Message]:
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
        self._done.append(state)
        if triggers:
            plural = "s" if len(triggers) > 1 else ""
            yield {"stream": f"# Executing {len(triggers)} build trigger{plural}"}
            yield {"stream": "\n"}
        for trigger in triggers:
            step = dockerfile.read_trigger(trigger, self._plan.escape)
            for message in dispatcher.run(step):
                # one line at the end says what all of them made
                if message != state.arrival():
                    yield message
        yield state.arrival()
        labels: list[Instruction] = []
        if stage is self._plan.stages[-1]:
            labels = [_label(name, value) for name, value in sorted(self._options.labels.items())]
        for instruction in (*stage.instructions, *labels):
            yield from self._step(instruction)
            # values given on the command line are not expanded again
            yield from dispatcher.run(instruction, literal=instruction in labels)

    def _base(self, stage: Stage) -> Generator[Message, None, Image | None]:
        known = self._arguments.before_from()
        platform = expand(stage.platform, known, self._plan.escape, stage.start.line)
        try:
            if platform:
                Platform.parse(platform)
        except BadRequest as error:
            raise BuildError(
                f"failed to parse platform {platform}: {error}", stage.start.line
            ) from error
        name = expand(stage.base, known, self._plan.escape, stage.start.line)
        if not name:
            raise BuildError(f"base name ({stage.base}) should not be blank", stage.start.line)
        for place, earlier in enumerate(self._plan.stages[: len(self._done)]):
            if earlier.name and earlier.name == name.lower():
                return self._done[place].image
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
                pass  # it is pulled
            else:
                if not platform or _is_of(found, platform):
                    return found
        pulled = self._pull(name, platform)
        if isinstance(pulled, Image):
            return pulled
        yield from pulled
        return self._store.find(name)

    def _other_root(self, name: str, line: int) -> Generator[Message, None, Tree]:
        """The files that ``COPY --from=name`` copies from: a stage, by name or number, or image."""
        for place, stage in enumerate(self._plan.stages[: len(self._done)]):
            if name.lower() == stage.name or name == str(place):
                if place == len(self._done) - 1:
                    raise BuildError(
                        f"invalid from flag value {name}: refers to current build stage", line
                    )
                return self._done[place].root()
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
    """The Unix time that images and files of this build bear; 0 unless SOURCE_DATE_EPOCH says.

    Source: https://reproducible-builds.org/specs/source-date-epoch/
    """
    text = options.build_args.get("SOURCE_DATE_EPOCH") or "0"
    if not (text.isascii() and text.isdigit() and int(text[:12]) < 2**33 and len(text) < 12):
        raise DockerfileError(f"SOURCE_DATE_EPOCH is not a number of seconds: {text}")
    return int(text)
