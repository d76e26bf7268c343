"""A container's log, as `docker logs` asks for it.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerLogs
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .describe import seconds

_PAUSE = 0.05
"""Seconds between two looks at a log that is followed."""
_NUMBERS = {"stdout": 1, "stderr": 2}


@dataclass(frozen=True)
class Wanted:
    """Which records: of these streams, in this time (Unix), at most ``tail`` old ones (-1: all)."""

    streams: frozenset[str]
    since: float = 0.0
    until: float = float("inf")
    tail: int = -1
    timestamps: bool = False
    framed: bool = True


def read(
    path: Path,
    wanted: Wanted,
    follow: Callable[[], bool] | None = None,
    is_gone: Callable[[], bool] = lambda: False,
) -> Iterator[bytes]:
    """The records of a log, framed for the client; while ``follow()``, also those to come."""
    kept: deque[bytes] | list[bytes]
    kept = [] if wanted.tail < 0 else deque(maxlen=wanted.tail)
    log = _Log(path)
    try:
        for record in log.all():
            kept.extend(_shown(record, wanted))
        yield from kept
        while follow is not None and not is_gone():
            # looked at before the log, so that the last records are not missed
            more = follow()
            found = False
            for record in log.all():
                found = True
                yield from _shown(record, wanted)
            if not more:
                return
            if not found:
                yield b""
                time.sleep(_PAUSE)
    finally:
        log.close()


class _Log:
    """The two files of a log, read once from the beginning, then as they grow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._older: BinaryIO | None = _open(path.with_name(f"{path.name}.1"))
        self._file: BinaryIO | None = _open(path)
        self._rest = b""

    def close(self) -> None:
        for file in (self._older, self._file):
            if file:
                file.close()

    def all(self) -> Iterator[dict[str, Any]]:
        """The records that are new since the last call."""
        if self._older:
            yield from self._records(self._older)
            self._older.close()
            self._older = None
        if self._file is None:
            self._file = _open(self._path)
        while self._file:
            yield from self._records(self._file)
            # the file was set aside, and a new one has begun
            new = _open(self._path)
            if new is None or _same(new, self._file):
                if new:
                    new.close()
                return
            yield from self._records(self._file)
            self._file.close()
            self._file = new

    def _records(self, file: BinaryIO) -> Iterator[dict[str, Any]]:
        for line in file:
            self._rest += line
            if self._rest.endswith(b"\n"):
                text, self._rest = self._rest, b""
                yield json.loads(text)


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _same(one: BinaryIO, other: BinaryIO) -> bool:
    return os.fstat(one.fileno()).st_ino == os.fstat(other.fileno()).st_ino


def _shown(record: dict[str, Any], wanted: Wanted) -> Iterator[bytes]:
    if record["stream"] not in wanted.streams:
        return
    moment = seconds(record["time"])
    if moment < wanted.since or moment >= wanted.until:
        return
    data = record["log"].encode()
    if wanted.timestamps:
        data = f"{record['time']} ".encode() + data
    if wanted.framed:
        header = bytes((_NUMBERS[record["stream"]], 0, 0, 0)) + len(data).to_bytes(4, "big")
        data = header + data
    yield data
