"""Headers of a tar archive, read as container runtimes read them.

Docker, containerd and Podman all use Go's ``archive/tar``, so this module follows its rules
(https://github.com/golang/go/blob/go1.23.0/src/archive/tar/reader.go). Python's ``tarfile`` reads
some headers differently: it takes a prefix from GNU and V7 headers, and applies the path of a
global pax header to every entry. A scan would then look at other files than a container has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from labs_helpers.sandbox.scanner.limits import LayerDamaged

BLOCK = 512
_OCTAL = re.compile(rb"[0-7]{1,21}")
_DECIMAL = re.compile(r"-?\d{1,18}")
_TIME = re.compile(r"-?\d{1,18}(\.\d*)?")
_SPARSE_VERSIONS = {("0", "0"), ("0", "1"), ("1", "0")}
_OVERLAY = re.compile(r"SCHILY\.xattr\.(trusted|user)\.overlay\.")


@dataclass(frozen=True)
class Header:
    """One header block: ``type`` is its type flag, ``size`` the bytes of content that follow."""

    name: str
    type: bytes
    target: str
    size: int


def damaged(reason: str) -> LayerDamaged:
    """The error for a header that container runtimes refuse."""
    return LayerDamaged(f"A layer's tar archive has a damaged header: {reason}.")


def parse(block: bytes) -> Header:
    """Read a header block of 512 bytes; raises LayerDamaged."""
    stored = _number(block[148:156])
    covered = block[:148] + block[156:]
    unsigned = sum(covered) + 8 * ord(" ")
    # some programs add the bytes up as signed ones
    if stored != unsigned and stored != unsigned - 256 * sum(byte > 127 for byte in covered):
        raise damaged("its checksum is wrong")
    for start, end in ((100, 108), (108, 116), (116, 124), (136, 148)):
        _number(block[start:end])
    size = _number(block[124:136])
    if size < 0:
        raise damaged("its size is negative")
    prefix = _prefix(block)
    name = text(block[:100])
    return Header(
        f"{prefix}/{name}" if prefix else name, block[156:157], text(block[157:257]), size
    )


def _prefix(block: bytes) -> str:
    """The directory that a header has in front of the name.

    Only ustar headers have one. The old V7 format has nothing there, and GNU's has two times;
    where those are no numbers, the header comes from a Go before 1.8, which wrote a prefix.
    """
    magic, version = block[257:263], block[263:265]
    if magic == b"ustar\0":
        _number(block[329:337]), _number(block[337:345])
        if block[508:512] != b"tar\0":
            return text(block[345:500])
        _number(block[476:488]), _number(block[488:500])
        return text(block[345:476])
    if magic == b"ustar " and version == b" \0":
        _number(block[329:337]), _number(block[337:345])
        try:
            for start, end in ((345, 357), (357, 369)):
                if block[start]:
                    _number(block[start:end])
        except LayerDamaged:
            found = text(block[345:500])
            return found if found.isascii() else ""
    return ""


def text(field: bytes) -> str:
    """A field up to its first zero byte."""
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


@lru_cache(maxsize=4096)
def _number(field: bytes) -> int:
    """An octal number, or a binary one whose first bit is set; raises LayerDamaged."""
    if field[0] & 0x80:
        bits = 8 * len(field) - 1
        value = int.from_bytes(field, "big") & ((1 << bits) - 1)
        value -= (value >> (bits - 1)) << bits
        if not -(1 << 63) <= value < 1 << 63:
            raise damaged("a number is too large")
        return value
    digits = field.strip(b" \0").partition(b"\0")[0]
    if not digits:
        return 0
    if not _OCTAL.fullmatch(digits):
        raise damaged(f"{digits!r} is not a number")
    return int(digits, 8)


def pax_records(content: bytes) -> dict[str, str]:
    """The records of a pax header, without those of an empty value; raises LayerDamaged.

    https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03
    """
    found: dict[str, str] = {}
    at = 0
    while at < len(content):
        length, space, _ = content[at : at + 12].partition(b" ")
        end = at + int(length) if space and length.isdigit() else 0
        if not at + 5 <= end <= len(content) or content[end - 1 : end] != b"\n":
            raise damaged("a pax record has a wrong length")
        raw, equals, value = content[at + len(length) + 1 : end - 1].partition(b"=")
        key = raw.decode("utf-8", "surrogateescape")
        if not equals or not key or "\0" in key:
            raise damaged("a pax record has no name")
        if b"\0" in value and key in ("path", "linkpath", "uname", "gname"):
            raise damaged(f"the pax record {key} has a zero byte")
        found[key] = value.decode("utf-8", "surrogateescape")
        at = end
    return {key: _checked(key, value) for key, value in found.items() if value}


def _checked(key: str, value: str) -> str:
    form = {"size": _DECIMAL, "uid": _DECIMAL, "gid": _DECIMAL}.get(
        key, _TIME if key in ("atime", "mtime", "ctime") else None
    )
    if form is not None and not form.fullmatch(value):
        raise damaged(f"the pax record {key} is {value[:40]!r}")
    if key == "size" and value.startswith("-"):
        raise damaged("its size is negative")
    if _OVERLAY.match(key):
        raise LayerDamaged(
            f"A layer sets the attribute {key.removeprefix('SCHILY.xattr.')}. It hides files where"
            " layers are overlays and nowhere else, so the image has no one content."
        )
    return value


def sparse_name(records: dict[str, str]) -> tuple[bool, str]:
    """Whether pax records describe a sparse file, and its name; raises LayerDamaged.

    https://www.gnu.org/software/tar/manual/html_node/PAX-1.html
    """
    version = records.get("GNU.sparse.major", ""), records.get("GNU.sparse.minor", "")
    if version not in _SPARSE_VERSIONS:
        if any(version):
            raise damaged(f"the version of a sparse file is {'.'.join(version)[:20]!r}")
        if not {"GNU.sparse.map", "GNU.sparse.offset"} & records.keys():
            return False, ""
    return True, records.get("GNU.sparse.name", "")
