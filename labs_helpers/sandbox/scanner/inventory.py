"""What an image has installed: its distribution and packages, each with the layer it came with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labs_helpers.sandbox.scanner import apk, dpkg, python_packages
from labs_helpers.sandbox.scanner.distribution import Distribution, detect
from labs_helpers.sandbox.scanner.limits import (
    LIMITS,
    Budget,
    DatabaseDamaged,
    Limits,
    TooMuch,
)
from labs_helpers.sandbox.scanner.packages import Package
from labs_helpers.sandbox.scanner.tree import Layer, Tree
from labs_helpers.sandbox.scanner.wanted import APK, DPKG, DPKG_FOLDER, PYTHON, RPM, WANTED

Parse = Callable[[bytes, str], list[Package]]

_DATABASES: dict[str, Parse] = {**dict.fromkeys(APK, apk.parse), DPKG: dpkg.parse}
_PASSES = 4


@dataclass(frozen=True)
class Inventory:
    """``packages`` of the distribution first, then Python's, each by name.

    ``unread`` are files that tell of packages in a form that is not read here, with the reason:
    what they hold is judged by nobody.
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

    check: called often; what it raises ends the scan.
    """
    budget = Budget(limits, check=check)
    wanted = WANTED
    for _ in range(_PASSES):
        tree, origins = Tree(wanted, budget), _Origins()
        for layer in layers:
            tree.apply(layer)
            origins.note(tree)
        found = _inventory(tree, origins, limits)
        if not tree.missing:
            return found
        # a database is a link to a file that nobody looked at: read again, with it
        wanted = wanted.and_also(tree.missing)
    raise DatabaseDamaged.at(min(tree.missing), "links lead to it from link to link")


class _Origins:
    """Which layer brought each package of a database, which every layer rewrites whole."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[bytes, dict[tuple[str, str, str], str]]] = {}
        self.packages: dict[str, list[Package]] = {}

    def note(self, tree: Tree) -> None:
        """Look at the databases after a layer."""
        for path, parse in _DATABASES.items():
            found = tree.read(path)
            if found is None:
                self._seen.pop(path, None)
                self.packages.pop(path, None)
                continue
            before, origin = self._seen.get(path, (None, {}))
            if found.content is before:
                continue
            packages = parse(found.content, path)
            now = {each.key: origin.get(each.key, found.layer) for each in packages}
            self._seen[path] = (found.content, now)
            self.packages[path] = [each.at(now[each.key], path) for each in packages]


def _inventory(tree: Tree, origins: _Origins, limits: Limits) -> Inventory:
    system: dict[tuple[str, str, str], Package] = {}
    python: list[Package] = []
    unread: list[tuple[str, str]] = []
    for path, packages in origins.packages.items():
        if not packages:
            raise DatabaseDamaged.at(path, "it lists no package")
        for package in packages:
            system.setdefault(package.key, package)
    for path in tree.paths():
        if path.startswith(f"{DPKG_FOLDER}/") and not path.endswith(".md5sums"):
            found = tree.read(path)
            if found is not None:
                for package in dpkg.parse(found.content, path):
                    system.setdefault(package.key, package.at(found.layer, path))
        elif path in RPM:
            unread.append((path, "RPM databases are not read here"))
        elif path.endswith(PYTHON) and (found := tree.read(path)) is not None:
            distribution = python_packages.parse(found.content)
            if distribution is None:
                unread.append((path, "it names no Python distribution and version"))
            else:
                python.append(distribution.at(found.layer, path))
    if len(system) + len(python) > limits.packages:
        raise TooMuch(f"The image has more than {limits.packages} packages.")
    return Inventory(
        detect(tree),
        (
            *sorted(system.values(), key=lambda each: each.key),
            *sorted(python, key=lambda each: (each.key, each.path)),
        ),
        tuple(unread),
    )
