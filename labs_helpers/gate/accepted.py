"""Risks that somebody accepted: a file in version control, each entry with a reason and an end.

    - id: CVE-2025-60876
      reason: the wget of busybox is never called; Alpine has no fix yet
      expires: 2026-12-31

YAML or JSON (a list of such entries). ``package`` narrows an entry to one package. An entry counts
up to and including the day ``expires``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from labs_helpers.workspace import LabsError

_FIELDS = {"id", "reason", "expires", "package"}


class AcceptedError(LabsError):
    """The file of accepted risks cannot be used: nothing is accepted by guess."""


@dataclass(frozen=True)
class Accepted:
    """One accepted risk; ``package`` is "" for every package that has it."""

    id: str
    reason: str
    expires: date
    package: str = ""


def load(path: Path) -> tuple[Accepted, ...]:
    """The entries of a file; raises AcceptedError for the first fault in it."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AcceptedError(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise AcceptedError(f"{path} cannot be read: {error}") from error
    if document is None:
        return ()
    if not isinstance(document, list):
        raise AcceptedError(f"{path} must be a list of entries with id, reason and expires.")
    found = tuple(_entry(path, number, one) for number, one in enumerate(document, start=1))
    keys = [(one.id, one.package) for one in found]
    for key in keys:
        if keys.count(key) > 1:
            raise AcceptedError(f"{path} has {key[0]} twice; which entry counts?")
    return found


def _entry(path: Path, number: int, one: Any) -> Accepted:
    where = f"{path}, entry {number}"
    if not isinstance(one, dict):
        raise AcceptedError(f"{where} is not a set of id, reason and expires.")
    unknown = sorted(str(name) for name in one.keys() - _FIELDS)
    if unknown:
        raise AcceptedError(
            f"{where} has {', '.join(unknown)}: known are {', '.join(sorted(_FIELDS))}."
        )
    for name in ("id", "reason"):
        if not isinstance(one.get(name), str) or not one[name].strip():
            raise AcceptedError(f"{where} has no {name}.")
    package = one.get("package", "")
    if not isinstance(package, str):
        raise AcceptedError(f"{where}: package must be a name.")
    return Accepted(one["id"].strip(), one["reason"].strip(), _day(where, one), package)


def _day(where: str, one: dict[str, Any]) -> date:
    day = one.get("expires")
    if isinstance(day, datetime):
        return day.date()
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(str(day))
    except ValueError as error:
        raise AcceptedError(
            f"{where}: expires is {day!r}; it must be a day like 2026-12-31."
        ) from error
