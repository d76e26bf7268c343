"""Read a blob from a registry. After a lost connection, request the rest with Range.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs and
RFC 9110 section 14. The bytes are not verified: the caller, which stores them, knows their digest.
"""

from __future__ import annotations

import io
import re
from typing import BinaryIO, cast

from .errors import EngineError
from .registry_errors import RegistryError, RequestFailed
from .streams import CHUNK_SIZE
from .transport import CONNECTION_LOST, RegistryResponse, Transport

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def download(transport: Transport, path: str, scope: str) -> BinaryIO:
    """Request a blob and return its bytes as a stream. Raises RegistryError, RequestFailed."""
    return cast(BinaryIO, _Download(transport, path, scope))


class _Download(io.RawIOBase):
    def __init__(self, transport: Transport, path: str, scope: str) -> None:
        self._transport, self._path, self._scope = transport, path, scope
        self._offset = 0
        self._total: int | None = None
        self._losses = 0
        self._response: RegistryResponse | None = self._request()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; the whole rest when it is negative; b"" at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK_SIZE), b""))
        while True:
            try:
                if self._response is None:
                    self._response = self._request()
                data = self._response.stream.read(size)
            except CONNECTION_LOST as error:
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
        if self._response is not None and self._offset != self._total:
            self._response.abandon()
        self._response = None
        super().close()

    def _wait(self, error: Exception) -> None:
        if self._response is not None:
            self._response.abandon()
            self._response = None
        self._losses += 1
        if not self._transport.retry_policy.after_loss(self._losses):
            cause = EngineError(str(error) or type(error).__name__)
            raise RequestFailed("GET", self._transport.url(self._path), cause) from error

    def _request(self) -> RegistryResponse:
        headers = {"Range": f"bytes={self._offset}-"} if self._offset else {}
        response = self._transport.request("GET", self._path, self._scope, headers)
        response.raise_for_status()
        if response.status == 206:
            found = _RANGE.fullmatch(response.headers.get("Content-Range") or "")
            if not found or int(found[1]) != self._offset:
                response.abandon()
                raise RegistryError(f"the registry answered another range than {headers['Range']}")
            return response
        length = response.headers.get("Content-Length")
        self._total = int(length) if length and length.isdecimal() else None
        left = self._offset
        while left:
            # a registry without ranges starts again: skip the bytes that have arrived
            skipped = response.stream.read(min(left, CHUNK_SIZE))
            if not skipped:
                response.abandon()
                raise ConnectionError("unexpected EOF")
            left -= len(skipped)
        return response
