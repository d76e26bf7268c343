"""What apk has installed: https://wiki.alpinelinux.org/wiki/Apk_spec, the installed database."""

from __future__ import annotations

import re

from labs_helpers.sandbox.scanner.limits import DatabaseDamaged
from labs_helpers.sandbox.scanner.packages import Package

_FIELD = re.compile(r"([A-Za-z]):(.*)")


def parse(content: bytes, path: str) -> list[Package]:
    """The packages of ``lib/apk/db/installed``; raises DatabaseDamaged.

    A record must have a name (P) and a version (V): half a database must not pass for a whole
    one. A record without an origin (o) is its own source.
    """
    found = []
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    for record in re.split(r"\n{2,}", text.strip("\n")):
        if not record:
            continue
        fields: dict[str, str] = {}
        for line in record.split("\n"):
            match = _FIELD.fullmatch(line)
            if match is None:
                raise DatabaseDamaged.at(path, f"it has the line {line[:60]!r}")
            fields.setdefault(match[1], match[2].strip())
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
                licence=fields.get("L", ""),
            )
        )
    return found
