"""The severity of an advisory, from its record, and the base score of CVSS 3.

Formula and constants: https://www.first.org/cvss/v3.1/specification-document, sections 7.1, 7.4
and appendix A. A CVSS 4.0 vector is never scored here: its score comes from a table of 270
expert judgements, so for a record with nothing else the word of its source counts, or UNDEFINED.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEVELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
"""ECR's severity levels, the worst first."""

_WORDS = {"MODERATE": "MEDIUM", "IMPORTANT": "HIGH", "NONE": "INFORMATIONAL", "NEGLIGIBLE": "LOW"}
_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}
_CVSS3 = re.compile(r"CVSS:3\.[01]((?:/[A-Z]{1,3}:[A-Z])+)")


@dataclass(frozen=True)
class Severity:
    """``level`` is one of LEVELS, ``basis`` what it rests on, ``score`` that of CVSS 3 or None."""

    level: str
    basis: str
    vector: str = ""
    score: float | None = None


def of_record(document: Mapping[str, Any]) -> Severity:
    """The severity of an OSV record: its CVSS 3 score, else its source's word, else UNDEFINED."""
    own = document.get("database_specific")
    own = own if isinstance(own, dict) else {}
    word = str(own.get("severity") or "").upper()
    word = _WORDS.get(word, word)
    vectors = {
        str(one.get("type")): str(one.get("score"))
        for one in document.get("severity") or []
        if isinstance(one, dict)
    }
    score = base_score(vectors.get("CVSS_V3", ""))
    if score is not None:
        basis = str(own.get("severity_source") or "CVSS 3 vector of the record")
        return Severity(level(score), basis, vectors["CVSS_V3"], score)
    vector = vectors.get("CVSS_V4", "")
    if word in LEVELS:
        return Severity(word, str(own.get("severity_source") or "the record's own word"), vector)
    return Severity("UNDEFINED", "no score that can be read and no word", vector)


def level(score: float) -> str:
    """https://www.first.org/cvss/v3.1/specification-document, section 5; 0.0 is "None" there."""
    if score >= 9.0:
        return "CRITICAL"
    if score >= 7.0:
        return "HIGH"
    if score >= 4.0:
        return "MEDIUM"
    return "LOW" if score > 0 else "INFORMATIONAL"


def base_score(vector: str) -> float | None:
    """The base score of a CVSS 3.0 or 3.1 vector; None if the vector is incomplete."""
    match = _CVSS3.fullmatch(vector)
    if match is None:
        return None
    metrics = dict(part.split(":") for part in match[1].strip("/").split("/"))
    try:
        values = {name: table[metrics[name]] for name, table in _WEIGHTS.items()}
        changed = metrics["S"] == "C"
        privileges = _PRIVILEGES[metrics["S"]][metrics["PR"]]
    except KeyError:
        return None
    lost = 1 - (1 - values["C"]) * (1 - values["I"]) * (1 - values["A"])
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * values["AV"] * values["AC"] * privileges * values["UI"]
    total = (impact + exploitability) * (1.08 if changed else 1)
    return _round_up(min(total, 10))


def _round_up(value: float) -> float:
    """Appendix A: to one decimal, upwards, free of floating-point noise."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10
