"""What apk has installed: https://wiki.alpinelinux.org/wiki/Apk_spec, the installed database."""

from __future__ import annotations

import re

from labs_helpers.sandbox.scanner.limits import DatabaseDamaged
from labs_helpers.sandbox.scanner.packages import Package

_LINE = re.compile(r"([A-Za-z]):(.*)")
_WORD = re.compile(r"\S*")
#: Name, version, architecture and origin: one word each.
_WORDS = frozenset("PVAo")
_LICENCE = "L"


def parse(content: bytes, path: str) -> list[Package]:
    """The packages of ``lib/apk/db/installed``; raises DatabaseDamaged.

    A record must have a name (P) and a version (V): half a database must not pass for a whole
    one. A record without an origin (o) is its own source. None of the fields read here may
    repeat in a record: apk never writes that, and readers differ on which one counts.
    """
    found = []
    for record in re.split(r"\n{2,}", content.decode("utf-8", "replace").strip("\n")):
        if not record:
            continue
        fields = _fields(record, path)
        name, version = fields.get("P"), fields.get("V")
        if not name or not version:
            raise DatabaseDamaged.at(path, f"a record has no name or version: {record[:60]!r}")
        found.append(
            Package(
                manager="apk",
                name=name,
                version=version,
                source=fields.get("o") or name,
                source_version=version,
                architecture=fields.get("A", ""),
                licence=fields.get(_LICENCE, "").strip(),
            )
        )
    return found


def _fields(record: str, path: str) -> dict[str, str]:
    """The fields of a record that a scan needs, by their letters."""
    fields: dict[str, str] = {}
    for line in record.split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            raise DatabaseDamaged.at(path, f"it has the line {line[:60]!r}")
        letter, value = match[1], match[2]
        if letter not in _WORDS and letter != _LICENCE:
            continue
        if letter in fields:
            raise DatabaseDamaged.at(path, f"a record has {letter} twice: {record[:60]!r}")
        if letter in _WORDS and not _WORD.fullmatch(value):
            raise DatabaseDamaged.at(path, f"it has the line {line[:60]!r}, which is not one word")
        fields[letter] = value
    return fields
