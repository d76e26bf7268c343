"""The log of a container: Docker's json-file form, bounded.

Two files of at most 10 MB each are kept; Docker keeps everything unless max-size is set. Source:
https://docs.docker.com/engine/logging/drivers/json-file/
"""

from __future__ import annotations

import json
import os
import time

LARGEST = 10_000_000
"""Bytes of a file, after which the file becomes ``<name>.1``."""

LONGEST = 16 * 1024
"""Bytes of a line; a longer one becomes several records, of which the last ends with a newline."""


def now() -> str:
    """The time as Docker writes it, with nanoseconds."""
    seconds, fraction = divmod(time.time_ns(), 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09}Z"


class LogFile:
    """Appends the output of one container; ``full`` says why nothing more could be written."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._file).st_size
        self._rest = {"stdout": b"", "stderr": b""}
        self.full = ""

    def write(self, stream: str, data: bytes, last: bool = False) -> None:
        """Append output; an incomplete line waits for its end, unless this is the ``last``."""
        data = self._rest[stream] + data
        *lines, rest = data.split(b"\n")
        records = [piece for line in lines for piece in _pieces(line + b"\n")]
        if last or len(rest) >= LONGEST:
            records += _pieces(rest)
            rest = b""
        self._rest[stream] = rest
        if not records:
            return
        date = now()
        text = b"".join(
            json.dumps(
                {"log": piece.decode("utf-8", "replace"), "stream": stream, "time": date},
                separators=(",", ":"),
            ).encode()
            + b"\n"
            for piece in records
        )
        try:
            self._append(text)
        except OSError as error:
            self.full = str(error.strerror)

    def close(self) -> None:
        """Write incomplete lines, and close the file."""
        for stream in ("stdout", "stderr"):
            self.write(stream, b"", last=True)
        os.close(self._file)

    def _append(self, text: bytes) -> None:
        if self._size + len(text) > LARGEST and self._size:
            os.replace(self._path, f"{self._path}.1")  # noqa: PTH105 - no pathlib: memory
            new = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(new, self._file, inheritable=False)
            os.close(new)
            self._size = 0
        while text:
            text = text[os.write(self._file, text) :]
        self._size = os.fstat(self._file).st_size


def _pieces(line: bytes) -> list[bytes]:
    return [line[at : at + LONGEST] for at in range(0, len(line), LONGEST)]
