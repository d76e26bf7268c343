"""Write our advisories as a Trivy database, so that Trivy and our scanner use the same facts.

Trivy keeps its database in a bbolt file (format: https://github.com/etcd-io/bbolt, page.go and
bucket.go) with a bucket a source and in it a bucket a package
(https://github.com/aquasecurity/trivy-db, schema version 2). The file is written here at once:
every bucket is one leaf page with as many overflow pages as it needs.
"""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from pathlib import Path
from typing import Any, TypeAlias

from labs_helpers.sandbox.scanner import severity
from labs_helpers.sandbox.scanner.osv import Affected, Record
from labs_helpers.sandbox.scanner.snapshot import Snapshot

SCHEMA = 2
_PAGE = 4096
_HEADER = 16
_META, _FREELIST, _LEAF = 0x04, 0x10, 0x02
_MAGIC, _VERSION = 0xED0CDAED, 2
_BUCKET = 1

Bucket: TypeAlias = "dict[str, bytes | Bucket]"


def write(folder: Path, snapshot: Snapshot) -> None:
    """Write ``db/trivy.db`` and its ``metadata.json`` under a cache folder of Trivy."""
    database = folder / "db"
    database.mkdir(parents=True, exist_ok=True)
    (database / "trivy.db").write_bytes(_bolt(buckets(snapshot)))
    day = f"{snapshot.retrieved}T00:00:00Z"
    never = "2999-01-01T00:00:00Z"
    facts = {"Version": SCHEMA, "UpdatedAt": day, "NextUpdate": never, "DownloadedAt": day}
    (database / "metadata.json").write_text(json.dumps(facts), encoding="utf-8")


def buckets(snapshot: Snapshot) -> Bucket:
    """The database as nested dictionaries: bucket, package, advisory -> JSON."""
    vulnerabilities: Bucket = {}
    sources: Bucket = {}
    platforms: dict[str, dict[str, dict[str, bytes | Bucket]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for record in snapshot.records:
        vulnerabilities[record.name] = _json(_vulnerability(record))
        for affected in record.affected:
            platform, source = _platform(affected.ecosystem)
            if not platform:
                continue
            sources[platform] = _json(source)
            for advisory in _advisories(affected):
                platforms[platform][affected.name][record.name] = _json(advisory)
    return {
        **{name: {**packages} for name, packages in platforms.items()},
        "data-source": sources,
        "vulnerability": vulnerabilities,
    }


def _platform(ecosystem: str) -> tuple[str, dict[str, str]]:
    """Trivy's name for an ecosystem, and Trivy's description of the source."""
    name, _, release = ecosystem.partition(":")
    if name == "Alpine":
        return f"alpine {release.removeprefix('v')}", _source("alpine", "Alpine Secdb")
    if name == "Debian":
        return f"debian {release}", _source("debian", "Debian Security Tracker")
    if name == "Ubuntu":
        return f"ubuntu {release.removesuffix(':LTS')}", _source("ubuntu", "Ubuntu CVE Tracker")
    if name == "PyPI":
        return "pip::GitHub Security Advisory Pip", _source("ghsa", "GitHub Security Advisory Pip")
    return "", {}


def _source(identity: str, name: str) -> dict[str, str]:
    return {"ID": identity, "Name": name, "URL": ""}


def _advisories(affected: Affected) -> list[dict[str, Any]]:
    """One advisory: for distributions the fixed version, for Python the affected ranges."""
    if affected.ecosystem == "PyPI":
        fixes = [text for events in affected.ranges for kind, text in events if kind == "fixed"]
        vulnerable = [_interval(events) for events in affected.ranges]
        return [{"VulnerableVersions": vulnerable, "PatchedVersions": fixes}]
    found = []
    for events in affected.ranges:
        known = dict(events)
        start = known.get("introduced", "0")
        advisory = {"FixedVersion": known.get("fixed", "")}
        if start != "0":
            advisory["AffectedVersion"] = start
        found.append(advisory)
    return found[:1]


def _interval(events: tuple[tuple[str, str], ...]) -> str:
    signs = {"introduced": ">=", "fixed": "<", "last_affected": "<="}
    return ", ".join(
        f"{signs[kind]}{text}" for kind, text in events if (kind, text) != ("introduced", "0")
    )


def _vulnerability(record: Record) -> dict[str, Any]:
    found = severity.of_record(record.document)
    level = {"UNDEFINED": "UNKNOWN", "INFORMATIONAL": "LOW"}.get(found.level, found.level)
    return {"Title": record.summary, "Description": record.summary, "Severity": level}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _bolt(root: Bucket) -> bytes:
    """Build a bbolt file with these buckets."""
    pages: list[bytes] = []
    first = 3  # after two meta pages and the free list
    top = _write_bucket(root, pages, first)
    size = first + sum(len(page) // _PAGE for page in pages)
    metas = [_meta(number, top, size) for number in (0, 1)]
    free = _padded(struct.pack("<QHHI", 2, _FREELIST, 0, 0))
    return b"".join([*metas, free, *pages])


def _write_bucket(bucket: Bucket, pages: list[bytes], first: int) -> int:
    """Append the pages of a bucket, inner buckets first; return the bucket's page number."""
    items: list[tuple[int, bytes, bytes]] = []
    for name in sorted(bucket, key=str.encode):
        value = bucket[name]
        if isinstance(value, bytes):
            items.append((0, name.encode(), value))
        else:
            inner = _write_bucket(value, pages, first)
            items.append((_BUCKET, name.encode(), struct.pack("<QQ", inner, 0)))
    number = first + sum(len(page) // _PAGE for page in pages)
    table, data = b"", b""
    offset = len(items) * _HEADER
    for index, (flags, key, value) in enumerate(items):
        position = offset - index * _HEADER + len(data)
        table += struct.pack("<IIII", flags, position, len(key), len(value))
        data += key + value
    body = table + data
    overflow = (_HEADER + len(body) - 1) // _PAGE
    head = struct.pack("<QHHI", number, _LEAF, len(items), overflow)
    pages.append(_padded(head + body))
    return number


def _meta(number: int, root: int, size: int) -> bytes:
    fields = struct.pack("<IIIIQQQQQ", _MAGIC, _VERSION, _PAGE, 0, root, 0, 2, size, number)
    head = struct.pack("<QHHI", number, _META, 0, 0)
    return _padded(head + fields + struct.pack("<Q", _fnv(fields)))


def _fnv(data: bytes) -> int:
    """FNV-1a of 64 bits, bbolt's checksum: http://www.isthe.com/chongo/tech/comp/fnv/"""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _PAGE)
