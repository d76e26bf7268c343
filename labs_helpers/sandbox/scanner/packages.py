"""A package as an image has it installed, whichever manager put it there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Manager = Literal["apk", "dpkg", "python"]


@dataclass(frozen=True)
class Package:
    """``source`` is what advisories name (apk's origin, dpkg's Source), with its own version.

    ``layer`` is the digest of the layer that brought this version, ``path`` the file that says so.
    """

    manager: Manager
    name: str
    version: str
    source: str
    source_version: str
    architecture: str = ""
    licence: str = ""
    layer: str = ""
    path: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Name, version and architecture: two packages of one key are the same."""
        return self.name, self.version, self.architecture

    def at(self, layer: str, path: str) -> Package:
        """The same package, with where it was found."""
        return replace(self, layer=layer, path=path)
