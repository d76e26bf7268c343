"""Runs builds for the tests: a source folder, a buildspec, and what came of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs_helpers.buildspec import Build, Log, Result, Settings, read


@dataclass(frozen=True)
class Ran:
    """A build that ended. log: without the times. written: the files at the destination."""

    result: Result
    log: str
    output: bytes
    folder: Path

    @property
    def phases(self) -> dict[str, str]:
        return {phase.type: phase.status for phase in self.result.phases}

    @property
    def messages(self) -> dict[str, str]:
        return {phase.type: phase.context.message for phase in self.result.phases}

    @property
    def written(self) -> dict[str, str]:
        out = self.folder / "out"
        files = (path for path in sorted(out.rglob("*")) if path.is_file())
        return {path.relative_to(out).as_posix(): path.read_text() for path in files}

    @property
    def printed(self) -> list[str]:
        """The lines that commands printed, without the empty ones."""
        return [line for line in self.output.decode("utf-8", "replace").splitlines() if line]


class Recorder(Log):
    """A log that keeps its text, and the output of commands apart."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.printed = b""
        super().__init__(self.written.append)

    def output(self, data: bytes) -> None:
        self.printed += data
        super().output(data)


def prepare(
    folder: Path,
    text: str,
    files: Mapping[str, str] | None = None,
    client: Any = None,
    **settings: Any,
) -> tuple[Build, Recorder]:
    """A build that has not begun, and its log."""
    for name, content in (files or {}).items():
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for name in ("source", "scratch"):
        (folder / name).mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    made = Settings(
        source=folder / "source",
        scratch=folder / "scratch",
        destination=folder / "out",
        **{"environment": environment, "client": client, **settings},
    )
    log = Recorder()
    return Build(read(text), made, log), log


def run(folder: Path, text: str, *rest: Any, **settings: Any) -> Ran:
    """Run a buildspec. rest: files of the source, a function for boto3 clients."""
    build, log = prepare(folder, text, *rest, **settings)
    result = build.run()
    times = r"(?<=^\[Container\] )[\d/]+ [\d:.]+ "
    text = re.sub(times, "", "".join(log.written), flags=re.MULTILINE)
    return Ran(result, text, log.printed, folder)


def phases(text: str) -> str:
    """A buildspec of version 0.2 with these phases, which the caller indents by two."""
    return f"version: 0.2\nphases:\n{text}"


def commands(*lines: str) -> str:
    """A buildspec of one phase, build, with these commands."""
    return phases("  build:\n    commands:\n" + "".join(f"      - {line}\n" for line in lines))
