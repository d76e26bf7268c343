"""What is wrong with a buildspec: each problem with its line, its key and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labs_helpers.files import LabsError


@dataclass(frozen=True)
class Problem:
    """One mistake in a buildspec.

    line: from 1; 0 for the file itself. path: the keys that lead there, as in
    "phases/build/commands[2]"; empty for the file as a whole. aws: CodeBuild's own message for this
    mistake, where a public log shows one.
    """

    line: int
    path: str
    what: str
    advice: str
    aws: str = ""

    def __str__(self) -> str:
        place = (f"line {self.line}: " if self.line else "") + (self.path and f"{self.path}: ")
        return f"{place}{self.what}. {self.advice}"


class BuildspecError(LabsError):
    """A buildspec that CodeBuild could not run, or that says what nobody would read."""

    status_code = "YAML_FILE_ERROR"
    """CodeBuild's code for a buildspec that it cannot read."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.path)))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @property
    def message(self) -> str:
        """The first problem, in CodeBuild's words where they are known."""
        first = self.problems[0]
        return first.aws or f"{first.path + ': ' if first.path else ''}{first.what}"
