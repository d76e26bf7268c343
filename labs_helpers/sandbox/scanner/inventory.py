"""What an image has installed: its distribution and packages, each with the layer it came with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from labs_helpers.sandbox.scanner import apk, dpkg, python_packages, unpacking
from labs_helpers.sandbox.scanner.distribution import Distribution, detect
from labs_helpers.sandbox.scanner.limits import (
    LIMITS,
    Budget,
    DatabaseDamaged,
    LayerDamaged,
    Limits,
    TooMuch,
)
from labs_helpers.sandbox.scanner.packages import Package
from labs_helpers.sandbox.scanner.tree import Found, Layer, Tree
from labs_helpers.sandbox.scanner.wanted import (
    APK,
    DPKG,
    DPKG_FOLDER,
    PYTHON,
    RPM,
    WANTED,
    links_to_metadata,
)

Parse = Callable[[bytes, str], list[Package]]

_DATABASES: dict[str, Parse] = {**dict.fromkeys(APK, apk.parse), DPKG: dpkg.parse}
_MANAGERS = (APK, (DPKG,))
_PASSES = 6


@dataclass(frozen=True)
class Inventory:
    """``packages`` of the distribution first, then Python's, each by name.

    ``unread`` are files that list packages but cannot be read here, each with the reason: a scan
    reports their packages as not covered.
    """

    distribution: Distribution | None
    packages: tuple[Package, ...]
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def of_system(self) -> tuple[Package, ...]:
        """The packages of the distribution's own manager."""
        return tuple(package for package in self.packages if package.manager != "python")


def take(
    layers: Sequence[Layer], limits: Limits = LIMITS, check: Callable[[], None] | None = None
) -> Inventory:
    """The inventory of an image by its layers, the lowest first; raises Unscannable.

    check: called often; an exception from it ends the scan.
    """
    budget = Budget(limits, check=check)
    over = _read(layers, budget, alone=False)
    if over.ambiguous and _read(layers, budget, alone=True).facts != over.facts:
        raise LayerDamaged(
            "The packages of the image depend on the container runtime: a layer has files below a"
            " symbolic link of a lower layer, empties the image's root, or removes a directory"
            " and makes it again."
        )
    return over.inventory


@dataclass(frozen=True)
class _Reading:
    """``facts`` is what two readings must agree on: distribution and packages, but no layers."""

    inventory: Inventory
    ambiguous: bool
    facts: object


def _read(layers: Sequence[Layer], budget: Budget, *, alone: bool) -> _Reading:
    wanted = WANTED
    for _ in range(_PASSES):
        tree, databases = Tree(wanted, budget, alone=alone), _Databases()
        for layer in layers:
            unpacking.apply(tree, layer)
            databases.note(tree)
        found = _inventory(tree, databases, budget.limits)
        if not tree.missing:
            databases.check_removed()
            return _Reading(found, tree.ambiguous, _facts(found, databases))
        # a database is a link to a file that nobody looked at: read again, with it
        wanted = wanted.and_also(tree.missing)
    raise DatabaseDamaged.at(min(tree.missing), "links lead to it from link to link")


def _facts(found: Inventory, databases: _Databases) -> object:
    """An apk reads one database, so a second one need not be the same."""
    first = next((path for path in APK if path in databases.packages), None)
    second = {path for path in APK if path != first}
    packages = frozenset(
        (package.manager, *package.key, package.source, package.source_version)
        for package in found.packages
        if package.path not in second
    )
    return found.distribution, packages, {reason for _, reason in found.unread}


@dataclass
class _Databases:
    """The packages of each database, with the layer that brought each package.

    A layer that installs one package has the whole database in it: what was there before keeps
    the layer that it came with.
    """

    packages: dict[str, list[Package]] = field(default_factory=dict)
    _content: dict[str, Found] = field(default_factory=dict)
    _layers: dict[str, dict[tuple[str, str, str], str]] = field(default_factory=dict)
    _ever: set[str] = field(default_factory=set)

    def note(self, tree: Tree) -> None:
        """Look at the databases after a layer; raises DatabaseDamaged."""
        for path, parse in _DATABASES.items():
            found = tree.read(path, database=True)
            before = self._content.pop(path, None)
            if found is None:
                self.packages.pop(path, None)
                self._layers.pop(path, None)
                continue
            self._content[path] = found
            if before is None or found.content is not before.content:
                packages = parse(found.content, path)
                old = self._layers.get(path, {})
                new = {each.key: old.get(each.key, found.layer) for each in packages}
                self._layers[path] = new
                self.packages[path] = [each.at(new[each.key], path) for each in packages]
            if self.packages[path]:
                self._ever.add(path)

    def check_removed(self) -> None:
        """Raise DatabaseDamaged for a database that a layer removed, and nothing replaces."""
        for paths in _MANAGERS:
            known = [path for path in paths if path in self._ever]
            if known and not any(path in self.packages for path in paths):
                raise DatabaseDamaged.at(
                    known[0], "a layer removes it, and what it lists may still be in the image"
                )


def _inventory(tree: Tree, databases: _Databases, limits: Limits) -> Inventory:
    system: dict[tuple[str, str, str], Package] = {}
    for path, packages in databases.packages.items():
        if not packages:
            raise DatabaseDamaged.at(path, "it lists no package")
        for package in packages:
            system.setdefault(package.key, package)
    for name in tree.names(DPKG_FOLDER):
        path = f"{DPKG_FOLDER}/{name}"
        found = None if name.endswith(".md5sums") else tree.read(path, database=True)
        if found is not None:
            for package in dpkg.parse(found.content, path):
                system.setdefault(package.key, package.at(found.layer, path))
    unread = [(path, "RPM databases are not read here") for path in RPM if tree.has(path)]
    python, unreadable = _python(tree)
    if len(system) + len(python) > limits.packages:
        raise TooMuch(f"The image has more than {limits.packages} packages.")
    return Inventory(
        detect(tree),
        (
            *sorted(system.values(), key=lambda each: each.key),
            *sorted(python, key=lambda each: (each.key, each.path)),
        ),
        (*unread, *unreadable),
    )


def _python(tree: Tree) -> tuple[list[Package], list[tuple[str, str]]]:
    """The Python distributions of an image, and the metadata files that name none."""
    packages: list[Package] = []
    unread: list[tuple[str, str]] = []
    for kept, is_link in tree.walk():
        for path in links_to_metadata(kept) if is_link else (kept,):
            if not path.endswith(PYTHON):
                continue
            found = tree.read(path)
            if found is None:
                continue
            package = python_packages.parse(found.content)
            if package is None:
                unread.append((path, "it names no Python distribution and version"))
            else:
                packages.append(package.at(found.layer, path))
    return packages, unread
