"""Match an inventory with the advisories: findings, and packages that cannot be judged.

Distributions are matched by source package, as their security teams write; Python by project
(https://packaging.python.org/en/latest/specifications/name-normalization/).
"""

from __future__ import annotations

from dataclasses import dataclass

from labs_helpers.sandbox.scanner import severity
from labs_helpers.sandbox.scanner.inventory import Inventory
from labs_helpers.sandbox.scanner.osv import Record, judge
from labs_helpers.sandbox.scanner.packages import Package
from labs_helpers.sandbox.scanner.severity import Severity
from labs_helpers.sandbox.scanner.snapshot import Snapshot
from labs_helpers.sandbox.scanner.versions import Uncomparable

PYPI = "PyPI"


@dataclass(frozen=True)
class Match:
    """An advisory that affects a source package of the image; ``fixed`` is "" without a fix."""

    record: Record
    severity: Severity
    ecosystem: str
    source: str
    source_version: str
    fixed: str
    packages: tuple[Package, ...]


@dataclass(frozen=True)
class NotJudged:
    """A source package that the advisories do not cover, or whose version has no order."""

    ecosystem: str
    source: str
    source_version: str
    reason: str
    packages: tuple[Package, ...]


@dataclass(frozen=True)
class Matches:
    """``found`` by severity, the worst first; ``not_judged`` by name."""

    found: tuple[Match, ...]
    not_judged: tuple[NotJudged, ...]


def match(inventory: Inventory, snapshot: Snapshot) -> Matches:
    """Judge every package of an inventory."""
    found: dict[tuple[str, str, str, str], Match] = {}
    not_judged: list[NotJudged] = []
    for (ecosystem, source, version), packages in _sources(inventory).items():
        if not snapshot.covers(ecosystem, source, version):
            reason = f"the advisories of {snapshot.retrieved} do not cover it"
            not_judged.append(NotJudged(ecosystem, source, version, reason, packages))
            continue
        for record, affected in snapshot.about(ecosystem, source):
            try:
                verdict = judge(affected, version)
            except Uncomparable as error:
                not_judged.append(NotJudged(ecosystem, source, version, str(error), packages))
                break
            key = (record.name, ecosystem, source, version)
            if verdict.affected and key not in found:
                found[key] = Match(
                    record=record,
                    severity=severity.of_record(record.document),
                    ecosystem=ecosystem,
                    source=source,
                    source_version=version,
                    fixed=verdict.fixed,
                    packages=packages,
                )
    return Matches(tuple(sorted(found.values(), key=_rank)), tuple(not_judged))


def ecosystem_of(package: Package, inventory: Inventory) -> str:
    """The OSV ecosystem whose advisories apply to a package."""
    if package.manager == "python":
        return PYPI
    return inventory.distribution.ecosystem if inventory.distribution else "unknown"


def _sources(inventory: Inventory) -> dict[tuple[str, str, str], tuple[Package, ...]]:
    groups: dict[tuple[str, str, str], list[Package]] = {}
    for package in inventory.packages:
        ecosystem = ecosystem_of(package, inventory)
        groups.setdefault((ecosystem, package.source, package.source_version), []).append(package)
    return {key: tuple(groups[key]) for key in sorted(groups)}


def _rank(one: Match) -> tuple[int, str, str, str]:
    return severity.LEVELS.index(one.severity.level), one.record.name, one.source, one.ecosystem
