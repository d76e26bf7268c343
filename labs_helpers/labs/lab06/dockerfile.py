"""Where the label of an image comes from: the Dockerfiles in the lab's folder tell.

An image keeps the value of a label, never the variable that the value came from: both the classic
builder and BuildKit write the expanded line into the history
(https://docs.docker.com/reference/dockerfile/#environment-replacement).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.engine.build import dockerfile
from labs_helpers.engine.build.dockerfile import Dockerfile, Instruction, Stage
from labs_helpers.engine.build.errors import BuildError

_VARIABLE = re.compile(r"(?<!\\)\$(?:\{(\w+)|(\w+))")
_KEPT = ("ARG", "LABEL", "ENV", "COPY", "ADD", "EXPOSE")
"""Instructions that begin a line of the history with their own name, in both builders."""
_MOST = 100_000
"""Bytes of a file that may be a Dockerfile."""


@dataclass(frozen=True)
class Line:
    """The line of a Dockerfile that sets a label."""

    file: Path
    text: str
    by_argument: bool


def lines(folder: Path, history: Sequence[str], label: str) -> list[Line]:
    """The lines that set ``label``, in each Dockerfile that can have made the image.

    folder: holds the Dockerfiles, under any name; history: the image's instructions after those
    of its base. A Dockerfile can have made the image when a stage of the file has the same
    instructions in the same order, and the ARGs have the same names. The classic builder also
    keeps the default of an ARG, which must then be the same. Several files can fit: no source tells
    them apart, because their images are the same to the last byte.
    """
    return [
        line
        for file in sorted(folder.iterdir())
        for found in _read(file)
        for number in range(len(found.stages))
        if _can_have_made(steps := _steps(found, number), history)
        for line in _label(file, steps, label)
    ]


def _read(file: Path) -> Iterator[Dockerfile]:
    """The file as a Dockerfile; nothing for a file that is none."""
    if not file.is_file() or file.stat().st_size > _MOST:
        return
    try:
        yield dockerfile.read(file.read_text(encoding="utf-8"))
    except (BuildError, UnicodeDecodeError):
        return


def _steps(found: Dockerfile, number: int) -> list[Instruction]:
    """The instructions of a stage, after those of the earlier stage that the stage begins with."""
    stage: Stage = found.stages[number]
    for earlier in range(number):
        if found.stages[earlier].name and found.stages[earlier].name == stage.base.lower():
            return [*_steps(found, earlier), *stage.instructions]
    return list(stage.instructions)


def _can_have_made(steps: Sequence[Instruction], history: Sequence[str]) -> bool:
    kept = [one for one in history if one.split(" ")[0] in _KEPT]
    wanted = [step for step in steps if step.name in _KEPT]
    buildkit = any(one.endswith("# buildkit") for one in history)
    return len(kept) == len(wanted) and all(
        one.split(" ")[0] == step.name
        and (step.name != "ARG" or _words(one.split()[1:], buildkit) == _words(step.args, buildkit))
        for one, step in zip(kept, wanted, strict=True)
    )


def _words(arguments: Sequence[str], names_only: bool) -> list[str]:
    """ARG's words. BuildKit's history has the value that the build was given for the default."""
    if names_only:
        return [one.partition("=")[0] for one in arguments]
    return [one for one in arguments if not _VARIABLE.search(one)]


def _label(file: Path, steps: Sequence[Instruction], label: str) -> Iterator[Line]:
    """The last line that sets the label, if any.

    An ENV hides an argument of the same name, and hands on the arguments in its value:
    https://docs.docker.com/reference/dockerfile/#using-arg-variables
    """
    arguments: set[str] = set()
    hidden: set[str] = set()
    last: Line | None = None
    for step in steps:
        if step.name == "ARG":
            arguments |= {one.partition("=")[0] for one in step.args} - hidden
        elif step.name == "ENV":
            for name, value in step.pairs:
                hidden.add(name)
                by_argument = bool(_variables(value) & arguments)
                arguments = arguments | {name} if by_argument else arguments - {name}
        elif step.name == "LABEL":
            for name, value in step.pairs:
                if name.strip("\"'") == label:
                    last = Line(file, step.original, bool(_variables(value) & arguments))
    if last:
        yield last


def _variables(text: str) -> set[str]:
    """The names of the variables in a value; none in single quotes, where none is replaced."""
    if text.startswith("'"):
        return set()
    return {one[1] or one[2] for one in _VARIABLE.finditer(text)}
