"""Answers that are the notebook's solution but for one word, flag or command.

Such an answer should not pass its check. One that passes is a hole in the check, or reaches the
goal as well: then ``labNN/mutants.json`` lists it as equivalent, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

_FLAG = re.compile(r" (?P<flag>--?[a-z][\w-]*)(?P<value>[ =](?:'[^']*'|\"[^\"]*\"|[^\s'\"|;)]+))?")
_NAME = re.compile(r"(?<![\w$.{-])(?!--?[a-z])[A-Za-z0-9_][\w.:/*-]*[\w*](?![\w.-]*=)")
_COMMANDS = """
aws docker sed grep echo cat python labs for do done in if then fi export printf mv sh cut iam ecr
s3 s3api ecs sts configure query output text END
"""
"""Words of the shell and of programs: a slip in one is an error message and no answer."""


@dataclass(frozen=True)
class Mutant:
    """``change`` says in words what differs from the solution; ``source`` is the answer."""

    change: str
    source: str


def mutants(solution: str) -> list[Mutant]:
    """Each command skipped, each flag dropped, each name changed; no two with one source."""
    lines = solution.split("\n")
    found: dict[str, str] = {}
    for number, line in enumerate(lines):
        for change, instead in _changed(line):
            source = "\n".join([*lines[:number], *instead, *lines[number + 1 :]])
            if source != solution:
                found.setdefault(source, f"line {number + 1}: {change}")
    return [Mutant(change, source) for source, change in found.items()]


def _changed(line: str) -> Iterator[tuple[str, list[str]]]:
    if not line.strip() or line.strip() == "END" or line.lstrip().startswith("cat > "):
        return
    # a line that goes on in the next one, or opens a loop, cannot be left out alone
    if not line.endswith("\\") and not line.strip().startswith(("for ", "done", "END")):
        yield f"skip {line.strip()[:60]!r}", []
    for found in _FLAG.finditer(line):
        yield f"drop {found[0].strip()[:60]!r}", [line[: found.start()] + line[found.end() :]]
    for found in _NAME.finditer(line):
        name = found[0]
        if name in _COMMANDS.split() or (name.isupper() and "_" in name):
            continue
        other = name[:-1] + ("x" if name[-1] != "x" else "y")
        text = line[: found.start()] + other + line[found.end() :]
        yield f"{name!r} becomes {other!r} at {found.start()}", [text]


@dataclass(frozen=True)
class Known:
    """How an answer is tried, and which mutants reach the goal too. equivalent: change -> reason.

    cells: code cells of the notebook, run before. after: exercises whose solutions are run before.
    then: cells between the answer and the check.

    Where the beginning takes long, it is made once for all answers. ``once`` is shell that ends the
    beginning; ``again`` is shell before each answer, and the cells ``settled`` run after ``again``.
    ``go`` is shell before the cells of ``then``, and begins what these cells wait for. ``go`` and
    ``then`` are left out where the check finds another fact unmet than the one with the words
    ``until``: the check looks at facts in their order, and a pipeline changes none of those before.
    """

    cells: list[str]
    equivalent: dict[str, str]
    after: list[str] = field(default_factory=list)
    then: list[str] = field(default_factory=list)
    once: str = ""
    again: str = ""
    settled: list[str] = field(default_factory=list)
    go: str = ""
    until: str = ""


def known(check_id: str) -> Known:
    """What is written down about the mutants of a check's solution."""
    path = FOLDER / f"lab{check_id.partition('.')[0]}" / "mutants.json"
    entry: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))[check_id]
    return Known(**entry)
