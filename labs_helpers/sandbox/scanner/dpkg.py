"""What dpkg has installed: https://manpages.debian.org/bookworm/dpkg-dev/deb-control.5.en.html

``Status`` is three words, of which the last is the package's state
(https://manpages.debian.org/bookworm/dpkg/dpkg.1.en.html#Package_states). A file of ``status.d``
has no such field: what is there is installed.
"""

from __future__ import annotations

import re

from labs_helpers.sandbox.scanner.limits import DatabaseDamaged
from labs_helpers.sandbox.scanner.packages import Package

#: States in which no file of the package is there.
_AWAY = frozenset({"not-installed", "config-files"})
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*):(.*)")
_SOURCE = re.compile(r"(\S+)(?:\s+\(([^()\s]+)\))?")
_KEPT = frozenset({"package", "status", "version", "source", "architecture"})


def parse(content: bytes, path: str) -> list[Package]:
    """The packages of ``var/lib/dpkg/status`` or of a file in ``status.d``; raises DatabaseDamaged.

    A package that names no source is its own, one that gives the source no version has it too.
    """
    found = []
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    for record in re.split(r"\n{2,}", text.strip("\n")):
        if not record:
            continue
        fields: dict[str, str] = {}
        for line in record.split("\n"):
            if line[:1] in (" ", "\t"):
                continue  # the lines after the first of a field that we do not need
            match = _FIELD.fullmatch(line)
            if match is None:
                raise DatabaseDamaged.at(path, f"it has the line {line[:60]!r}")
            if (name := match[1].lower()) in _KEPT:
                fields.setdefault(name, match[2].strip())
        if not fields.get("package"):
            raise DatabaseDamaged.at(path, f"a record has no name: {record[:60]!r}")
        if fields.get("status", "installed").split()[-1:] in [[state] for state in _AWAY]:
            continue
        if not fields.get("version"):
            raise DatabaseDamaged.at(path, f"{fields['package']} has no version")
        found.append(_package(fields))
    return found


def _package(fields: dict[str, str]) -> Package:
    source = _SOURCE.fullmatch(fields.get("source", ""))
    return Package(
        manager="dpkg",
        name=fields["package"],
        version=fields["version"],
        source=source[1] if source else fields["package"],
        source_version=(source[2] if source else None) or fields["version"],
        architecture=fields.get("architecture", ""),
    )
