"""The files of an image that name its distribution and its packages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
"""https://www.freedesktop.org/software/systemd/man/latest/os-release.html: the first one wins."""

ALPINE_RELEASE = "etc/alpine-release"
APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
"""An Alpine whose /lib is a link to /usr/lib has it in the second place."""

DPKG = "var/lib/dpkg/status"
DPKG_FOLDER = "var/lib/dpkg/status.d"
"""Images without a package manager (distroless) have one file a package there."""

RPM = tuple(
    f"{folder}/{name}"
    for folder in ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
    for name in ("Packages", "Packages.db", "rpmdb.sqlite")
)

PYTHON = (".dist-info/METADATA", ".egg-info/PKG-INFO", "EGG-INFO/PKG-INFO", ".egg-info")
"""https://packaging.python.org/en/latest/specifications/recording-installed-packages/"""

_PYTHON_HEAD = 32 * 1024
PATH_MAX, _DEEPEST = 4096, 64


Missing = Literal["whole", "folder", "present"]
"""What is wanted of a path: a file's content, all files of a folder, or whether it is there."""


@dataclass(frozen=True)
class Wanted:
    """A scan keeps ``whole`` files, all files of ``folders``, and whether ``present`` exist."""

    whole: frozenset[str]
    folders: frozenset[str]
    present: frozenset[str]

    @property
    def fixed(self) -> Iterable[str]:
        """The paths known in advance, with an invented file name for each folder."""
        return (*self.whole, *self.present, *(f"{folder}/x" for folder in self.folders))

    def takes(self, path: str) -> bool:
        """Whether a scan keeps anything of this path."""
        return (
            path in self.whole
            or path in self.present
            or path.rpartition("/")[0] in self.folders
            or self.head(path) > 0
        )

    def head(self, path: str) -> int:
        """How many of the first bytes to keep; 0 for a path that is not wanted."""
        return _PYTHON_HEAD if path.endswith(PYTHON) and is_usual(path) else 0

    def and_also(self, missing: Mapping[str, Missing]) -> Wanted:
        """A copy that also wants these paths, each as its value says."""

        def of(kind: Missing) -> set[str]:
            return {path for path, each in missing.items() if each == kind}

        return Wanted(
            whole=self.whole | of("whole"),
            folders=self.folders | of("folder"),
            present=self.present | of("present"),
        )


def links_to_metadata(path: str) -> tuple[str, ...]:
    """Where Python would find metadata if a path is a symbolic link, to a file or to a folder."""
    found = [path] if path.endswith(PYTHON) else []
    for folder, name in (
        (".dist-info", "METADATA"),
        (".egg-info", "PKG-INFO"),
        ("EGG-INFO", "PKG-INFO"),
    ):
        if path.endswith(folder):
            found.append(f"{path}/{name}")
    return tuple(found)


def is_usual(path: str) -> bool:
    """Whether a path is as short and as shallow as those of installed files."""
    return len(path) <= PATH_MAX and path.count("/") <= _DEEPEST


WANTED = Wanted(
    whole=frozenset({*OS_RELEASE, ALPINE_RELEASE, *APK, DPKG}),
    folders=frozenset({DPKG_FOLDER}),
    present=frozenset(RPM),
)
