"""The file of accepted risks, kept in version control. Each entry has a reason and a last day.

    - id: CVE-2025-60876
      reason: the wget of busybox is never called; Alpine has no fix yet
      expires: 2026-12-31

The file is YAML or JSON, a list of such entries. ``package`` limits an entry to one package. An
entry is valid up to and including the day ``expires``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from labs_helpers.files import LabsError

_FIELDS = {"id", "reason", "expires", "package"}


class AcceptedRisksError(LabsError):
    """The file of accepted risks has a fault, so no risk is accepted."""


@dataclass(frozen=True)
class AcceptedRisk:
    """One accepted risk. ``package`` is "" if the entry covers every package with the finding."""

    id: str
    reason: str
    expires: date
    package: str = ""


def load(path: Path) -> tuple[AcceptedRisk, ...]:
    """The entries of a file; raises AcceptedRisksError for the first fault."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AcceptedRisksError(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise AcceptedRisksError(f"{path} cannot be read: {error}") from error
    if document is None:
        return ()
    if not isinstance(document, list):
        raise AcceptedRisksError(f"{path} must be a list of entries with id, reason and expires.")
    risks = tuple(_risk(path, number, entry) for number, entry in enumerate(document, start=1))
    keys = [(risk.id, risk.package) for risk in risks]
    for key in keys:
        if keys.count(key) > 1:
            raise AcceptedRisksError(f"{path} has {key[0]} twice. Remove one of the two entries.")
    return risks


def _risk(path: Path, number: int, entry: Any) -> AcceptedRisk:
    where = f"{path}, entry {number}"
    if not isinstance(entry, dict):
        raise AcceptedRisksError(f"{where} must have the fields id, reason and expires.")
    unknown = sorted(str(name) for name in entry.keys() - _FIELDS)
    if unknown:
        raise AcceptedRisksError(
            f"{where} has {', '.join(unknown)}: known fields are {', '.join(sorted(_FIELDS))}."
        )
    for name in ("id", "reason"):
        value = entry.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise AcceptedRisksError(f"{where} has no {name}.")
        if not isinstance(value, str):
            raise AcceptedRisksError(f"{where}: {name} is {value!r}; it must be a text.")
    package = entry.get("package", "")
    if not isinstance(package, str):
        raise AcceptedRisksError(f"{where}: package must be a name.")
    expires = _day(where, entry.get("expires"))
    return AcceptedRisk(entry["id"].strip(), entry["reason"].strip(), expires, package)


def _day(where: str, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise AcceptedRisksError(
            f"{where}: expires is {value!r}; it must be a day like 2026-12-31."
        ) from error
