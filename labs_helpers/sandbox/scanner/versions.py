"""Compare versions by the rules of their ecosystem, with the library ``univers``.

A version that the ecosystem's scheme does not allow cannot be placed, and what cannot be placed
must not pass for newer: Uncomparable is raised, and the package is reported as not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, total_ordering

from univers.versions import (
    AlpineLinuxVersion,
    DebianVersion,
    InvalidVersion,
    PypiVersion,
    RpmVersion,
    Version,
)

_SCHEMES: dict[str, type[Version]] = {
    "Alpine": AlpineLinuxVersion,
    "Debian": DebianVersion,
    "Ubuntu": DebianVersion,
    "PyPI": PypiVersion,
    "Red Hat": RpmVersion,
    "AlmaLinux": RpmVersion,
    "Rocky Linux": RpmVersion,
}


@total_ordering
@dataclass(frozen=True)
class Comparable:
    """A version that can be compared. Only ``<`` and ``==`` of ``univers`` are used.

    Its ``<=`` and ``>=`` of Gentoo's and Alpine's versions compare texts (univers 32.0.1), by
    which 8.4.0-r0 is not before 8.22.0-r0.
    """

    value: Version

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Comparable) and bool(self.value == other.value)

    def __lt__(self, other: Comparable) -> bool:
        return bool(self.value < other.value)

    def __hash__(self) -> int:
        return hash(self.value)


class Uncomparable(ValueError):
    """A version has no place in the order of its ecosystem."""


@lru_cache(maxsize=20_000)
def version(ecosystem: str, text: str) -> Comparable:
    """A version to compare with others of the ecosystem (``Alpine:v3.15``); raises Uncomparable."""
    scheme = _SCHEMES.get(ecosystem.partition(":")[0])
    if scheme is None:
        raise Uncomparable(f"the order of versions in {ecosystem} is not known here")
    if len(text) > 200:
        raise Uncomparable(f"{text[:40]}... is too long for a version")
    try:
        return Comparable(scheme(text))
    except (InvalidVersion, ValueError, TypeError, RecursionError) as error:
        raise Uncomparable(f"{text} is no version of {ecosystem}") from error
