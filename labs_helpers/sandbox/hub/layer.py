"""Layers whose bytes are the same on every machine.

The tar has sorted members, one date, uid and gid 0. The gzip stream has stored blocks only; this
module writes it because zlib's output depends on its version and vendor:
https://www.rfc-editor.org/rfc/rfc1952 and section 3.2.4 of https://www.rfc-editor.org/rfc/rfc1951
"""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath

from labs_helpers.sandbox.hub.recipe import Entry

_GZIP_HEADER = bytes.fromhex("1f8b08000000000000ff")
_STORED_BLOCK = 0xFFFF
_TYPES = {"directory": tarfile.DIRTYPE, "file": tarfile.REGTYPE, "link": tarfile.SYMTYPE}


def tar(entries: Iterable[Entry], modified: int) -> bytes:
    """An uncompressed layer; `modified` is the time of every member in seconds since 1970.

    Missing parent directories are added. Of two entries with the same path, the later one counts.
    """
    members = {entry.path: entry for entry in entries}
    for path in list(members):
        for above in PurePosixPath(path).parents:
            if above.name:
                members.setdefault(str(above), Entry(str(above), "directory", 0o755))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(members):
            entry = members[path]
            member = tarfile.TarInfo(path)
            member.type = _TYPES[entry.kind]
            member.mode = entry.mode
            member.mtime = modified
            member.linkname = entry.target
            member.size = len(entry.content)
            archive.addfile(member, io.BytesIO(entry.content))
    return buffer.getvalue()


def gzip_stored(data: bytes) -> bytes:
    """`data` as a gzip stream of stored (uncompressed) blocks, which every gunzip reads."""
    blocks = []
    starts = range(0, len(data), _STORED_BLOCK) or (0,)
    for start in starts:
        block = data[start : start + _STORED_BLOCK]
        last = start + _STORED_BLOCK >= len(data)
        blocks.append(struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block)
    trailer = struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    return _GZIP_HEADER + b"".join(blocks) + trailer
