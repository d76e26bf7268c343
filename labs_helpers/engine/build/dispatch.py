"""From an instruction to the function that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial

from . import copy_add, metadata, sources
from .arguments import BuildArguments
from .dockerfile import Instruction, file_name
from .errors import BuildError
from .expansion import check_length, expand, expand_document, expand_words
from .layer import WHITEOUT
from .run import instruction
from .sources import Source
from .stage import Message, StageState
from .tree import Entry, Tree

OtherRoot = Callable[[str, int], Generator[Message, None, Tree]]
"""From the value of --from and a line to the files of another stage or image."""


class Dispatcher:
    """Carries out the instructions of one stage; ``other_root`` serves ``COPY --from``."""

    def __init__(
        self,
        state: StageState,
        context: Tree,
        arguments: BuildArguments,
        escape: str,
        other_root: OtherRoot,
    ) -> None:
        self._state, self._context, self._arguments = state, context, arguments
        self._escape, self._other_root = escape, other_root

    def run(self, step: Instruction, literal: bool = False) -> Iterator[Message]:
        """Carry out one instruction; with ``literal``, its words are not expanded.

        Raises:
            BuildError: dockerd's message.
        """
        try:
            yield from self._run(step, literal)
        except BuildError as error:
            error.line = error.line or step.line or None
            raise

    def _run(self, step: Instruction, literal: bool) -> Iterator[Message]:
        state, config = self._state, self._state.config
        variables = self._arguments.visible(config.get("Env") or [])
        expand_word = partial(expand, variables=variables, escape=self._escape, line=step.line)
        expanded = (lambda word: word) if literal else expand_word
        match step.name:
            case "COPY" | "ADD":
                yield from self._copy(step, expand_word)
            case "WORKDIR":
                yield from self._workdir(metadata.workdir(config, step, expanded))
            case "ARG":
                yield from state.commit(self._arg(step, expanded))
            case "MAINTAINER":
                state.author = step.args[0]
                yield from state.commit(f"MAINTAINER {state.author}")
            case "RUN":
                cached, predefined = self._arguments.for_run(config.get("Env") or [])
                yield from instruction.run(state, step, cached, predefined)
            case _:
                words = partial(
                    expand_words, variables=variables, escape=self._escape, line=step.line
                )
                text = metadata.configure(config, step, expanded, words, state.command_set)
                state.command_set |= step.name == "CMD"
                yield from state.commit(text)

    def _arg(self, step: Instruction, expanded: Callable[[str], str]) -> str:
        texts = []
        for word in step.args:
            name, equals, value = expanded(word).partition("=")
            check_length("ARG", name, value, step.line)
            self._arguments.declare(name, value if equals else None)
            texts.append(f"{name}={value}" if equals else name)
        return f"ARG {' '.join(texts)}"

    def _workdir(self, comment: str) -> Iterator[Message]:
        state = self._state
        cached = state.find_layer(comment)
        if cached:
            yield from state.use(cached)
            return
        placed: dict[str, Entry] = {}
        path = state.root().resolve(state.config["WorkingDir"])
        copy_add.make_directories(path, state.root(), placed)
        yield from state.commit_layer(comment, placed)

    def _copy(self, step: Instruction, expanded: Callable[[str], str]) -> Iterator[Message]:
        state = self._state
        words = [word if word.startswith("<<") else expanded(word) for word in step.args]
        *names, destination = words
        chown = expanded(step.flags.get("chown", ""))
        chmod = expanded(step.flags.get("chmod", ""))
        from_stage = "from" in step.flags
        tree = self._context
        if from_stage:
            tree = yield from self._other_root(expanded(step.flags["from"]), step.line)
        owner = copy_add.ownership(chown, chmod, state.root() if chown else Tree())
        expand_heredoc = partial(
            expand_document,
            variables=self._arguments.visible(state.config.get("Env") or []),
            escape=self._escape,
            line=step.line,
        )
        found: list[Source] = []
        for word in names:
            found += self._sources(step, word, tree, from_stage, expand_heredoc)
        if not found:
            raise BuildError(f"{step.name} failed: no source files were specified")
        if len(found) > 1 and not destination.endswith("/"):
            raise BuildError(
                f"When using {step.name} with more than one source file, the destination must be"
                " a directory and end with a /"
            )
        copied = [owner.apply(source, from_stage) for source in found]
        marked = next((p for s in copied for p in s.entries if _is_whiteout(p)), None)
        if marked is not None:
            raise BuildError(
                f"{step.name} failed: {marked}: a layer cannot have a name that begins with .wh."
            )
        shown = f"--chown={chown}" if chown else ""
        comment = f"{step.name} {shown}{copy_add.describe(copied)} in {destination} "
        cached = state.find_layer(comment)
        if cached:
            yield from state.use(cached)
            return
        workdir = state.config.get("WorkingDir") or "/"
        placed = copy_add.place(copied, destination, workdir, state.root(), owner)
        yield from state.commit_layer(comment, placed)

    def _sources(
        self,
        step: Instruction,
        word: str,
        tree: Tree,
        from_stage: bool,
        expand_heredoc: Callable[[str], str],
    ) -> Iterator[Source]:
        document = step.files.get(word.removeprefix("<<").removeprefix("-").strip("'\""))
        if document and word.startswith("<<"):
            content, expand_it = document
            text = expand_heredoc(content) if expand_it else content
            name = file_name(word.lstrip("<-").strip("'\""), step.line)
            yield sources.inline(name, text.encode())
            return
        if step.name == "ADD":
            copy_add.refuse_remote(word)
        for source in sources.find(tree, word, step.name, from_stage):
            if step.name == "ADD":
                source = copy_add.unpack(source, self._state.options.scratch)
            yield source


def _is_whiteout(path: str) -> bool:
    return path.rpartition("/")[2].startswith(WHITEOUT)
