"""What a buildspec.yml says, as far as the check of lab 09 asks.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_GATE = re.compile(r"^\s*labs\s+gate\b.*--fail-on[ =](?:CRITICAL|HIGH|MEDIUM|LOW|INFORMATIONAL)\b")
_SWALLOWED = re.compile(r"\|\||;\s*(?:true|:)\s*$|&\s*$")
"""A command whose failure the shell forgets."""


@dataclass(frozen=True)
class Buildspec:
    """``text`` as it stands, ``phases`` as read."""

    text: str
    phases: dict[str, Any]

    def commands(self, phase: str) -> list[str]:
        found = (self.phases.get(phase) or {}).get("commands") or ()
        return [str(one) for one in found]

    @property
    def all_commands(self) -> list[str]:
        names = ("install", "pre_build", "build", "post_build")
        return [one for name in names for one in self.commands(name)]

    def line_with(self, *texts: str) -> str:
        """The first command that holds one of these texts; "" for none."""
        return next(
            (one.strip() for one in self.all_commands if any(text in one for text in texts)), ""
        )

    @property
    def stops_after_a_failed_build(self) -> bool:
        return (self.phases.get("build") or {}).get("on-failure") == "ABORT"

    @property
    def tests_before_the_push(self) -> bool:
        tested = self._position(r"\btest\.sh\b")
        return tested is not None and tested < (self._position(r"\bdocker push\b") or 0)

    def gates_before(self, record: str) -> bool:
        """Whether a gate that can stop the build stands before the command that writes a file."""
        gates = [n for n, one in enumerate(self.all_commands) if _GATE.match(one)]
        written = self._position(re.escape(record))
        held = [n for n in gates if not _SWALLOWED.search(self.all_commands[n])]
        return bool(held) and written is not None and min(held) < written

    def _position(self, pattern: str) -> int | None:
        found = [
            n
            for n, one in enumerate(self.all_commands)
            if (re.search(pattern, one) and not one.lstrip().startswith(("#", "echo ")))
            or (re.search(pattern, one) and ">" in one)
        ]
        held = [n for n in found if not _SWALLOWED.search(self.all_commands[n])]
        return held[0] if held else None


def load(path: Path) -> Buildspec | str:
    """The buildspec, or what is wrong with the file."""
    if not path.exists():
        return "no such file"
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        phases = yaml.safe_load(text)["phases"]
        found = Buildspec(text, dict(phases))
        return found if found.all_commands else "no command in any phase"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        return f"not readable as YAML{where}: {getattr(error, 'problem', None) or error}"
    except (TypeError, KeyError, ValueError, AttributeError):
        return "no phases with commands"
