"""Which files of a build are its artifacts, and copying them to where they go.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts
Lines of the log and messages are those of public logs of CodeBuild.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from labs_helpers.buildspec.log import Log
from labs_helpers.buildspec.model import Artifacts
from labs_helpers.buildspec.patterns import expand, matches

_GLOB = frozenset("*?[")


class NoArtifacts(Exception):
    """The artifacts cannot be had; the message is the phase's."""

    status_code = "CLIENT_ERROR"


@dataclass(frozen=True)
class BuiltFile:
    """A file below the folder `source` of a build, whose programs may still run.

    source: as it was resolved before the first command.
    """

    path: Path
    source: Path

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The regular file that is there now, for reading.

        A program of the build can put a link in the place of a file, or of a folder on the way,
        after `collect` has looked, and the labs may read more than the build. So what counts is
        where the opened file is. Raises OSError, and NoArtifacts for a file outside the source.
        """
        # a FIFO would block
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            if not is_file or not _place(descriptor).is_relative_to(self.source):
                raise NoArtifacts(f"{self.path} is no file of the build any longer")
            yield stream


def _place(descriptor: int) -> Path:
    """Where an open file is."""
    if sys.platform == "darwin":
        import fcntl

        found = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024))
        return Path(os.fsdecode(found.rstrip(b"\0")))
    return Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115


def collect(
    artifacts: Artifacts, source: Path, variables: Mapping[str, str], log: Log
) -> dict[str, BuiltFile]:
    """Paths within the output -> files of the build. Raises NoArtifacts where there are none.

    source: a folder that was resolved before the first command of the build.

    A pattern that fits no file is skipped with a line in the log. A link whose target is outside
    the source is skipped, too. An excluded folder excludes what is below it.
    """
    base = expand(artifacts.base_directory, variables) or "."
    log.container(f"Expanding base directory path: {base}")
    log.container("Assembling file list")
    log.container(f"Expanding {base}")
    folders = list(_folders(source, base))
    if not folders:
        raise NoArtifacts(f"no matching base directory path found for {base}")
    exclude = [_within(source, expand(each, variables)) for each in artifacts.exclude]
    found = _Output(artifacts.discard_paths)
    for folder in folders:
        files = [path for path in _walk(folder, source) if not _excluded(path, exclude)]
        log.container(f"Expanding file paths for base directory {_name(folder, source)}")
        log.container("Assembling file list")
        for each in artifacts.files:
            pattern = _within(folder, expand(each, variables))
            log.container(f"Expanding {each}")
            chosen = [path for path in files if matches(pattern, path)]
            for path in chosen:
                found.add(path, BuiltFile(folder / path, source))
            if not chosen:
                log.container(f"Skipping invalid file path {each}")
    if not found.files:
        raise NoArtifacts("no matching artifact paths found")
    return found.files


@dataclass
class _Output:
    flat: bool
    files: dict[str, BuiltFile] = field(default_factory=dict)

    def add(self, path: str, file: BuiltFile) -> None:
        name = path.rpartition("/")[2] if self.flat else path
        taken = self.files.setdefault(name, file)
        if taken != file:
            raise NoArtifacts(f"two files would be {name}: {taken.path} and {file.path}")


def copy(files: Mapping[str, BuiltFile], destination: Path) -> list[Path]:
    """Copy files below a folder. A file of the same name is replaced; nothing else there changes.

    Raises NoArtifacts where the folder cannot be written.
    """
    made = []
    for name, file in files.items():
        target = destination / name
        part = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise NoArtifacts(f"{target} is a folder, and would be a file")
            try:
                with file.open() as content, part.open("wb") as made_file:
                    shutil.copyfileobj(content, made_file)
                    part.chmod(stat.S_IMODE(os.fstat(content.fileno()).st_mode))
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise NoArtifacts(f"{target}: {(error.strerror or str(error)).lower()}") from error
        made.append(Path(name))
    return made


def _within(folder: Path, path: str) -> str:
    """A path relative to the folder; raises NoArtifacts for a path that leads out."""
    if Path(path).is_absolute():
        path = os.path.relpath(path, folder)
    if ".." in (parts := Path(os.path.normpath(path)).parts):
        raise NoArtifacts(f"the path {path} leads out of the build's folder")
    return "/".join(parts)


def _folders(source: Path, base: str) -> Iterator[Path]:
    pattern = _within(source, base)
    if pattern in ("", "."):
        yield source
        return
    for root, names, _ in os.walk(source):
        names.sort()
        for name in names:
            folder = Path(root, name)
            path = folder.relative_to(source).as_posix()
            fits = path == pattern or (_GLOB & {*pattern} and matches(pattern, path))
            if fits and folder.resolve().is_relative_to(source):
                yield folder


def _walk(folder: Path, source: Path) -> Iterator[str]:
    """Files below a folder, as relative paths in order. Links to folders are not followed."""
    for root, names, files in os.walk(folder):
        names.sort()
        for name in sorted(files):
            file = Path(root, name)
            if file.is_file() and file.resolve().is_relative_to(source):
                yield file.relative_to(folder).as_posix()


def _excluded(path: str, patterns: list[str]) -> bool:
    parts = path.split("/")
    heads = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(matches(pattern, head) for pattern in patterns for head in heads)


def _name(folder: Path, source: Path) -> str:
    return folder.relative_to(source).as_posix()
