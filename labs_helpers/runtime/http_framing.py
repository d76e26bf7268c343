"""Where a request begins and ends: what must hold of its first line and its headers (RFC 9112).

A server that guesses the length of a body reads the next request at another place than the client
wrote it. So a length that is no length is refused with 400 before the body is read, as nginx and
Go's net/http refuse it, and a body of more bytes than any service takes with 413.
https://www.rfc-editor.org/rfc/rfc9112#section-6
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from cheroot.server import HeaderReader, HTTPRequest

LARGEST_BODY = 52_000 * 1024 * 1024
"""Bytes of the largest body that any part of the sandbox takes: a layer, by ECR's quota.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
"""

_LONGEST_NUMBER = 19
"""Digits of the largest number of bytes that fits into 63 bits."""

_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n")
_TARGET = re.compile(rb"[\x21-\x7e\x80-\xff]*")
"""Without bytes that control, which Python's strip() takes away and other servers keep."""

_ONCE = (b"Content-Length", b"Transfer-Encoding", b"Host")


class _Headers(dict[bytes, bytes]):
    """The headers of one request; raises ValueError for a second line of a name of `_ONCE`."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in _ONCE and name in self:
            raise ValueError(f"The header {name.decode()} is there twice.")
        super().__setitem__(name, value)


class StrictHeaders(HeaderReader):
    """Reads headers; raises ValueError, which the server answers with 400."""

    def __call__(self, rfile: Any, hdict: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
        """Read the headers of one request into `hdict`, or into a new dictionary."""
        found = _Headers()
        super().__call__(_Lines(rfile), found)
        length = found.get(b"Content-Length")
        if length is not None:
            check_length(length)
            if b"Transfer-Encoding" in found:
                # https://www.rfc-editor.org/rfc/rfc9112#section-6.3-2.3
                raise ValueError("A request has a Content-Length or a Transfer-Encoding, not both.")
        headers = {} if hdict is None else hdict
        headers.update(found)
        return headers


class _Lines:
    """The lines of a request's headers; raises ValueError for a line that RFC 9112 does not allow.

    cheroot fails at a first line that begins with a blank, and reads other such lines in two ways.
    https://www.rfc-editor.org/rfc/rfc9112#section-5
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readline(self) -> bytes:
        """The next line."""
        line: bytes = self._stream.readline()
        if line[:1] in (b" ", b"\t"):
            raise ValueError("A header may not begin with a blank (RFC 9112, section 5).")
        if line.endswith(b"\r\n") and line != b"\r\n" and not _FIELD.fullmatch(line):
            raise ValueError("A header is malformed (RFC 9112, section 5).")
        return line


def check_length(value: bytes) -> None:
    """Raise ValueError unless the value of Content-Length is a number of bytes, in digits."""
    # bytes.isdigit() knows ASCII digits only: no sign, no space, no "0x", no "5, 5"
    if not value.isdigit() or len(value.lstrip(b"0")) > _LONGEST_NUMBER or int(value) >= 2**63:
        raise ValueError("Content-Length is not a number of bytes.")


class StrictRequest(HTTPRequest):
    """One request, whose target may have the absolute form that proxies are sent.

    The host of an absolute target counts, and the Host header does not:
    https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
    """

    header_reader = StrictHeaders()

    def read_request_line(self) -> bool:
        """Read the first line, with cheroot's checks; False when the answer is sent already."""
        self.proxy_mode = True  # lets the absolute form through
        try:
            if not super().read_request_line():  # type: ignore[no-untyped-call]
                return False
        except ValueError:  # urlsplit: an IPv6 address that is none
            return self._malformed()
        if not _TARGET.fullmatch(self.uri):
            return self._malformed()
        if self.method == b"CONNECT":
            self.simple_response("405 Method Not Allowed")
            return False
        if self.uri.startswith(b"/") or self.uri == b"*":
            return not self.authority or self._malformed()
        target = urlsplit(self.uri)
        if target.scheme not in (b"http", b"https") or not target.netloc:
            return self._malformed()
        self.authority = target.netloc
        if self.method == b"OPTIONS":
            self.path = target.path or b"/"
        self.uri = (target.path or b"/") + (b"?" + target.query if target.query else b"")
        return True

    def read_request_headers(self) -> bool:
        """Read the headers, with cheroot's checks; False when the answer is sent already."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        if self.response_protocol != "HTTP/1.1" and b"Transfer-Encoding" in self.inheaders:
            self.simple_response("400 Bad Request", "HTTP/1.0 has no Transfer-Encoding.")
            return False
        if self.authority:
            self.inheaders[b"Host"] = self.authority
        return True

    def _malformed(self) -> bool:
        self.simple_response("400 Bad Request", "Malformed Request-URI")
        return False
