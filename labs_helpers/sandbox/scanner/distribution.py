"""Find an image's distribution in os-release or in Alpine's own file."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from labs_helpers.sandbox.scanner.tree import Tree
from labs_helpers.sandbox.scanner.wanted import ALPINE_RELEASE, OS_RELEASE


@dataclass(frozen=True)
class Distribution:
    """``id`` and ``version`` as in os-release (``alpine``, ``3.15.4``); ``title`` for people."""

    id: str
    version: str
    title: str

    @property
    def ecosystem(self) -> str:
        """The name that OSV has for it, e.g. ``Alpine:v3.15``, ``Debian:12``.

        https://ossf.github.io/osv-schema/#defined-ecosystems
        """
        match self.id:
            case "alpine":
                release = re.match(r"\d+\.\d+", self.version)
                edge = "_" in self.version or release is None
                return "Alpine:edge" if edge else f"Alpine:v{release[0]}"  # type: ignore[index]
            case "debian":
                return f"Debian:{self.version.partition('.')[0]}"
            case "ubuntu":
                year, _, month = self.version.partition(".")
                lts = month == "04" and year.isdigit() and int(year) % 2 == 0
                return f"Ubuntu:{self.version}:LTS" if lts else f"Ubuntu:{self.version}"
        return f"{self.id}:{self.version}"

    @property
    def platform(self) -> str:
        """As Amazon Inspector spells it: ``DEBIAN_12``, ``ALPINE_LINUX_3_15``."""
        name = {"alpine": "ALPINE_LINUX"}.get(self.id, self.id.upper())
        release = ".".join(self.version.split(".")[: 1 if self.id == "debian" else 2])
        return re.sub(r"[^A-Z0-9]+", "_", f"{name}_{release}".upper()).strip("_")


def detect(tree: Tree) -> Distribution | None:
    """The distribution, or None if no file names it."""
    for path in OS_RELEASE:
        found = tree.read(path)
        if found is not None:
            fields = _fields(found.content.decode("utf-8", "replace"))
            if fields.get("ID"):
                version = fields.get("VERSION_ID", "")
                title = fields.get("PRETTY_NAME") or f"{fields['ID']} {version}".strip()
                return Distribution(fields["ID"].lower(), version, title)
    found = tree.read(ALPINE_RELEASE)
    if found is not None:
        version = found.content.decode("utf-8", "replace").strip()[:40]
        return Distribution("alpine", version, f"Alpine Linux {version}")
    return None


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith("#"):
            continue
        try:
            found[name] = " ".join(shlex.split(value))
        except ValueError:
            found[name] = value.strip("\"'")
    return found
