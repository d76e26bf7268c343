"""Scan layers and return a report: plain data that can be stored as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from labs_helpers.sandbox.scanner import inventory as inventories
from labs_helpers.sandbox.scanner import matching
from labs_helpers.sandbox.scanner.inventory import Inventory
from labs_helpers.sandbox.scanner.limits import Unscannable
from labs_helpers.sandbox.scanner.matching import Matches
from labs_helpers.sandbox.scanner.packages import Package
from labs_helpers.sandbox.scanner.snapshot import Snapshot
from labs_helpers.sandbox.scanner.tree import Layer
from labs_helpers.sandbox.scanner.wanted import PYTHON

Report = dict[str, Any]
"""``distribution`` {id, version, title, platform} or None; ``findings`` and ``not_covered``, each
with its ``packages``; ``snapshot`` {retrieved, fingerprint}; ``packages`` the number judged."""


_MANAGERS = {"alpine": "apk", "debian": "dpkg", "ubuntu": "dpkg"}


class Unsupported(Unscannable):
    """The image has no package list that a scan can judge: unknown, which is not clean."""


def scan(
    layers: Sequence[Layer],
    snapshot: Snapshot,
    *,
    languages: bool,
    check: Callable[[], None] | None = None,
) -> Report:
    """Scan an image. With ``languages``, Python packages count too, as in enhanced scanning.

    check: called often; an exception from it ends the scan.
    Raises Unsupported without packages of a distribution (or, with ``languages``, any), and
    Unscannable for what cannot be read.
    """
    found = inventories.take(layers, check=check)
    if not languages:
        unread = tuple(one for one in found.unread if not one[0].endswith(PYTHON))
        found = Inventory(found.distribution, found.of_system, unread)
    if found.distribution is None and found.of_system:
        raise Unsupported("The image has packages, but no file names the distribution.")
    if found.distribution is not None:
        usual = _MANAGERS.get(found.distribution.id)
        for package in found.of_system:
            if usual not in (None, package.manager):
                # advisories of one distribution would be asked about packages of another
                raise Unsupported(
                    f"The image says that it is {found.distribution.title}, and"
                    f" {package.path} has packages of {package.manager}."
                )
    if not found.packages or (not languages and not found.of_system):
        raise Unsupported("The image has no package database that the scanner can read.")
    return of(found, matching.match(found, snapshot), snapshot)


def of(found: Inventory, matches: Matches, snapshot: Snapshot) -> Report:
    """Build the report from the matches."""
    distribution = found.distribution
    return {
        "distribution": distribution
        and {
            "id": distribution.id,
            "version": distribution.version,
            "title": distribution.title,
            "platform": distribution.platform,
        },
        "packages": len(found.packages),
        "findings": [
            {
                "name": one.record.name,
                "id": one.record.id,
                "summary": one.record.summary,
                "severity": one.severity.level,
                "severity_basis": one.severity.basis,
                "vector": one.severity.vector,
                "score": one.severity.score,
                "ecosystem": one.ecosystem,
                "source": one.source,
                "source_version": one.source_version,
                "fixed": one.fixed,
                "aliases": [name for name in one.record.aliases if name != one.record.name],
                "urls": _urls(one.record.document),
                "packages": [_package(package) for package in one.packages],
            }
            for one in matches.found
        ],
        "not_covered": [
            {
                "ecosystem": one.ecosystem,
                "source": one.source,
                "source_version": one.source_version,
                "reason": one.reason,
                "packages": [_package(package) for package in one.packages],
            }
            for one in matches.not_judged
        ]
        + [
            {
                "ecosystem": "",
                "source": path,
                "source_version": "unknown",
                "reason": reason,
                "packages": [],
            }
            for path, reason in found.unread
        ],
        "snapshot": {"retrieved": snapshot.retrieved, "fingerprint": snapshot.fingerprint},
    }


def _package(package: Package) -> dict[str, str]:
    return {
        "manager": package.manager,
        "name": package.name,
        "version": package.version,
        "architecture": package.architecture,
        "layer": package.layer,
        "path": package.path,
    }


def _urls(document: Any) -> list[str]:
    own = document.get("database_specific") or {}
    named = own.get("source_urls") if isinstance(own, dict) else None
    references = [
        one.get("url") for one in document.get("references") or [] if isinstance(one, dict)
    ]
    return [str(url) for url in (named or references) if url][:10]
