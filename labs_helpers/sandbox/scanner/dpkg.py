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
_STATUS = re.compile(
    r"(?:unknown|install|hold|deinstall|purge)\s+(?:ok|reinstreq)\s+"
    r"(not-installed|config-files|half-installed|unpacked|half-configured|triggers-awaited"
    r"|triggers-pending|installed)"
)
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*):(.*)")
_SOURCE = re.compile(r"([^\s()]+)(?:\s+\(([^()\s]+)\))?")
_KEPT = frozenset({"package", "status", "version", "source", "architecture"})


def parse(content: bytes, path: str) -> list[Package]:
    """The packages of ``var/lib/dpkg/status`` or of a file in ``status.d``; raises DatabaseDamaged.

    A package that names no source is its own source; a source without a version has the
    package's version. What dpkg itself refuses raises: a field twice in a record, an unknown
    status, a second line of a field that has one.
    """
    found = []
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    for record in re.split(r"\n{2,}", text.strip("\n")):
        if not record:
            continue
        fields = _fields(record, path)
        if not fields.get("package"):
            raise DatabaseDamaged.at(path, f"a record has no name: {record[:60]!r}")
        if "status" in fields and _state(fields, path) in _AWAY:
            continue
        if not fields.get("version"):
            raise DatabaseDamaged.at(path, f"{fields['package']} has no version")
        found.append(_package(fields, path))
    return found


def _fields(record: str, path: str) -> dict[str, str]:
    """The fields of a record that a scan needs, by their names in lower case."""
    fields: dict[str, str] = {}
    seen: set[str] = set()
    name = ""
    for line in record.split("\n"):
        if line[:1] in (" ", "\t") and seen:
            if name in _KEPT:
                raise DatabaseDamaged.at(path, f"{name} has a second line, {line[:60]!r}")
            continue
        match = _FIELD.fullmatch(line)
        if match is None:
            raise DatabaseDamaged.at(path, f"it has the line {line[:60]!r}")
        name = match[1].lower()
        if name in seen:
            raise DatabaseDamaged.at(path, f"a record has {match[1]} twice: {record[:60]!r}")
        seen.add(name)
        if name in _KEPT:
            fields[name] = match[2].strip()
    return fields


def _state(fields: dict[str, str], path: str) -> str:
    """The third word of a status."""
    match = _STATUS.fullmatch(fields["status"].lower())
    if match is None:
        raise DatabaseDamaged.at(
            path, f"{fields['package']} has the status {fields['status'][:60]!r}"
        )
    return match[1]


def _package(fields: dict[str, str], path: str) -> Package:
    # dpkg too writes and reads names in lower case
    name = fields["package"].lower()
    source = _SOURCE.fullmatch(fields["source"]) if fields.get("source") else None
    if source is None and fields.get("source"):
        raise DatabaseDamaged.at(path, f"{name} has the source {fields['source'][:60]!r}")
    return Package(
        manager="dpkg",
        name=name,
        version=fields["version"],
        source=source[1] if source else name,
        source_version=(source[2] if source else None) or fields["version"],
        architecture=fields.get("architecture", ""),
    )
