"""A blob read from a registry; where the connection is lost, the rest is asked for with Range.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs and
RFC 9110 section 14. The bytes are not verified here: whoever keeps them knows their digest.
"""

from __future__ import annotations

import io
import re
from typing import BinaryIO, cast

from .errors import EngineError
from .registry_errors import RegistryError, RequestFailed
from .streams import CHUNK_SIZE
from .transport import LOST, Answer, Transport

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def download(transport: Transport, path: str, scope: str) -> BinaryIO:
    """Ask for a blob and give its bytes; raises RegistryError, RequestFailed."""
    return cast(BinaryIO, _Download(transport, path, scope))


class _Download(io.RawIOBase):
    def __init__(self, transport: Transport, path: str, scope: str) -> None:
        self._transport, self._path, self._scope = transport, path, scope
        self._offset = 0
        self._total: int | None = None
        self._losses = 0
        self._answer: Answer | None = self._ask()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; all that is left when it is negative; b"" at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK_SIZE), b""))
        while True:
            try:
                if self._answer is None:
                    self._answer = self._ask()
                data = self._answer.stream.read(size)
            except LOST as error:
                self._wait(error)
                continue
            if data or not size:
                self._offset += len(data)
                self._losses = 0
                return data
            if self._total is None or self._offset >= self._total:
                return b""
            self._wait(ConnectionError("unexpected EOF"))

    def close(self) -> None:
        if self._answer is not None and self._offset != self._total:
            self._answer.abandon()
        self._answer = None
        super().close()

    def _wait(self, error: Exception) -> None:
        if self._answer is not None:
            self._answer.abandon()
            self._answer = None
        self._losses += 1
        if not self._transport.patience.after_loss(self._losses):
            cause = EngineError(str(error) or type(error).__name__)
            raise RequestFailed("GET", self._transport.url(self._path), cause) from error

    def _ask(self) -> Answer:
        wanted = {"Range": f"bytes={self._offset}-"} if self._offset else {}
        answer = self._transport.request("GET", self._path, self._scope, wanted)
        answer.raise_for_status()
        if answer.status == 206:
            found = _RANGE.fullmatch(answer.headers.get("Content-Range") or "")
            if not found or int(found[1]) != self._offset:
                answer.abandon()
                raise RegistryError(f"the registry answered another range than {wanted['Range']}")
            return answer
        length = answer.headers.get("Content-Length")
        self._total = int(length) if length and length.isdecimal() else None
        left = self._offset
        while left:
            # a registry without ranges begins anew: what is here already is passed over
            skipped = answer.stream.read(min(left, CHUNK_SIZE))
            if not skipped:
                answer.abandon()
                raise ConnectionError("unexpected EOF")
            left -= len(skipped)
        return answer
