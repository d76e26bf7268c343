"""Limits on what a scan may read, and the errors for images that cannot be scanned."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


class Unscannable(Exception):
    """The image cannot be scanned; the message says why. The scan then fails: it is not clean."""


class LayerDamaged(Unscannable):
    """A layer is not an archive that container runtimes unpack, all to the same files."""


class DatabaseDamaged(Unscannable):
    """A package database cannot be read completely."""

    @classmethod
    def at(cls, path: str, reason: str) -> DatabaseDamaged:
        return cls(f"The package database {path} cannot be read: {reason}.")


class TooMuch(Unscannable):
    """The image exceeds a limit on memory or time."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one scan. Sizes in bytes, over all layers of the image unless said otherwise.

    ``unpacked`` is what the layers may decompress to, ``kept`` what may be held in memory at
    once (package databases), ``database`` one such file, ``header`` one extended tar header.
    ``links`` is how many files may be links to files of other names, ``nodes`` how many symbolic
    links the layers may have, with the directories on the way to them.
    """

    unpacked: int = 8 * 1024**3
    entries: int = 2_000_000
    kept: int = 24 * 1024**2
    database: int = 16 * 1024**2
    header: int = 64 * 1024
    packages: int = 50_000
    links: int = 1000
    nodes: int = 300_000
    seconds: float = 120.0


LIMITS = Limits()


@dataclass
class Budget:
    """The running totals of one scan; every method raises TooMuch above a limit."""

    limits: Limits = LIMITS
    clock: Callable[[], float] = time.monotonic
    #: called often; an exception from it ends the scan
    check: Callable[[], None] | None = None
    unpacked: int = 0
    entries: int = 0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def unpack(self, count: int) -> None:
        """Add decompressed bytes to the total, and check the time."""
        self.unpacked += count
        if self.unpacked > self.limits.unpacked:
            raise TooMuch(f"The layers unpack to more than {self.limits.unpacked} bytes.")
        self.check_time()

    def entry(self) -> None:
        """Count one entry of a layer."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise TooMuch(f"The layers have more than {self.limits.entries} entries.")
        if self.entries % 256 == 0:
            self.check_time()

    def keep(self, held: int) -> None:
        """Check the number of bytes held in memory now."""
        if held > self.limits.kept:
            raise TooMuch(f"The package databases have more than {self.limits.kept} bytes.")

    def check_time(self) -> None:
        """Raise if the scan has taken too long or must stop."""
        if self.check:
            self.check()
        if self.clock() - self.started > self.limits.seconds:
            raise TooMuch(f"The scan took more than {self.limits.seconds:g} seconds.")
