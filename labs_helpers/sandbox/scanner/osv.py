"""OSV records: reading them, and whether a version is affected.

Sources: https://ossf.github.io/osv-schema/ and its section "Evaluation".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.scanner.python_packages import normalised
from labs_helpers.sandbox.scanner.versions import Comparable, Uncomparable, version

_ORDER = {"fixed": 0, "introduced": 1, "last_affected": 2}


class InvalidRecord(ValueError):
    """A document is not a usable OSV record; the message says what is wrong."""


@dataclass(frozen=True)
class Affected:
    """One package of a record: ranges of events (kind, version) and single versions."""

    ecosystem: str
    name: str
    ranges: tuple[tuple[tuple[str, str], ...], ...]
    versions: frozenset[str]


@dataclass(frozen=True)
class Record:
    """One advisory. ``document`` is the record as it was read."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    modified: str
    affected: tuple[Affected, ...]
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The id of the CVE that the record describes, or the record's own id."""
        return next((one for one in (self.id, *self.aliases) if one.startswith("CVE-")), self.id)


@dataclass(frozen=True)
class Verdict:
    """Whether a version is affected and, if it is, the first version with the fix, "" for none."""

    affected: bool
    fixed: str = ""


def read(document: Any) -> Record | None:
    """Read a record from its JSON; None if it was withdrawn. Raises InvalidRecord."""
    if not isinstance(document, dict):
        raise InvalidRecord("it is not a JSON object")
    identity = document.get("id")
    if not isinstance(identity, str) or not identity or len(identity) > 200:
        raise InvalidRecord("it has no id")
    if document.get("withdrawn"):
        return None
    aliases, affected = (
        [] if document.get(name) is None else document[name] for name in ("aliases", "affected")
    )
    if not isinstance(aliases, list) or not isinstance(affected, list):
        raise InvalidRecord(f"{identity}: aliases and affected must be lists")
    details = str(document.get("details") or "")
    return Record(
        id=identity,
        aliases=tuple(str(alias) for alias in aliases),
        summary=str(document.get("summary") or details[:1000]).strip(),
        modified=str(document.get("modified") or ""),
        affected=tuple(one for item in affected for one in _affected(identity, item)),
        document=document,
    )


def _affected(identity: str, item: Any) -> Iterator[Affected]:
    package = item.get("package") if isinstance(item, dict) else None
    if package is None:
        return  # ranges of a Git repository only
    ecosystem, name = package.get("ecosystem"), package.get("name")
    if not isinstance(ecosystem, str) or not isinstance(name, str) or not name:
        raise InvalidRecord(f"{identity}: a package has no ecosystem or name")
    ranges = []
    for one in item.get("ranges") or []:
        if not isinstance(one, dict) or not isinstance(one.get("events"), list):
            raise InvalidRecord(f"{identity}: a range has no events")
        if one.get("type") == "GIT":
            continue
        events = []
        for event in one["events"]:
            kinds = [kind for kind in _ORDER if isinstance(event, dict) and kind in event]
            if isinstance(event, dict) and "limit" in event and not kinds:
                continue  # limits matter where versions have no order
            if len(kinds) != 1 or not isinstance(event[kinds[0]], str):
                raise InvalidRecord(f"{identity}: an event is not one of {', '.join(_ORDER)}")
            events.append((kinds[0], event[kinds[0]]))
        if not any(kind == "introduced" for kind, _ in events):
            raise InvalidRecord(f"{identity}: a range does not say where it begins")
        ranges.append(tuple(events))
    versions = item.get("versions") or []
    if not isinstance(versions, list):
        raise InvalidRecord(f"{identity}: versions is not a list")
    if ecosystem == "PyPI":
        name = normalised(name)
    yield Affected(ecosystem, name, tuple(ranges), frozenset(map(str, versions)))


def judge(affected: Affected, installed: str) -> Verdict:
    """Whether a version is affected; raises Uncomparable if its version has no order."""
    verdicts = [_judge_range(affected.ecosystem, one, installed) for one in affected.ranges]
    hits = [verdict for verdict in verdicts if verdict.affected]
    if hits:
        fixes = [verdict.fixed for verdict in hits]
        if "" in fixes:
            return Verdict(True)
        return Verdict(True, min(fixes, key=lambda text: version(affected.ecosystem, text)))
    return Verdict(installed in affected.versions)


def _judge_range(ecosystem: str, events: tuple[tuple[str, str], ...], installed: str) -> Verdict:
    here = version(ecosystem, installed)
    placed = sorted(
        ((_place(ecosystem, text), kind, text) for kind, text in events),
        key=lambda event: (event[0] is not None, event[0] or here, _ORDER[event[1]]),
    )
    affected, fixed = False, ""
    for at, kind, text in placed:
        if at is None or at <= here:
            if kind == "introduced":
                affected = True
            elif kind == "fixed" or (at is not None and at < here):
                affected = False
        elif kind == "fixed" and not fixed:
            fixed = text
    return Verdict(affected, fixed if affected else "")


def _place(ecosystem: str, text: str) -> Comparable | None:
    """The version of an event; None for "0", which is before every version."""
    if text == "0":
        return None
    try:
        return version(ecosystem, text)
    except Uncomparable as error:
        raise Uncomparable(f"an advisory names {text}, {error}") from error
