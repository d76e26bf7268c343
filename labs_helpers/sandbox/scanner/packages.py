"""An installed package, whichever package manager installed it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from packageurl import PackageURL

    from labs_helpers.sandbox.scanner.distribution import Distribution

Manager = Literal["apk", "dpkg", "python"]


@dataclass(frozen=True)
class Package:
    """``source`` is what advisories name (apk's origin, dpkg's Source), with its own version.

    ``layer`` is the digest of the layer that brought this version, ``path`` the database
    or metadata file that lists it.
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

    def url(self, distribution: Distribution | None) -> PackageURL:
        """``pkg:apk/alpine/busybox@1.37.0-r31?arch=x86_64&distro=alpine-3.24.2&upstream=...``

        https://github.com/package-url/purl-spec
        """
        from packageurl import PackageURL

        if self.manager == "python":
            return PackageURL("pypi", None, self.name, self.version)
        kind = "apk" if self.manager == "apk" else "deb"
        qualifiers = {"arch": self.architecture}
        if distribution:
            qualifiers["distro"] = f"{distribution.id}-{distribution.version}".rstrip("-")
        if (self.source, self.source_version) != (self.name, self.version):
            same = self.source_version == self.version
            qualifiers["upstream"] = self.source if same else f"{self.source}@{self.source_version}"
        return PackageURL(
            kind,
            distribution.id if distribution else None,
            self.name,
            self.version,
            {name: value for name, value in qualifiers.items() if value},
        )
