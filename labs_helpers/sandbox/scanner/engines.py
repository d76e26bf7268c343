"""Choose the scan engine: the labs' own, or the user's Trivy (LABS_SCANNER=trivy)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from labs_helpers.sandbox.scanner import report
from labs_helpers.sandbox.scanner.limits import Unscannable
from labs_helpers.sandbox.scanner.report import Report
from labs_helpers.sandbox.scanner.snapshot import Snapshot
from labs_helpers.sandbox.scanner.tree import Layer

VARIABLE = "LABS_SCANNER"


class Engine(Protocol):
    """Scan an image by its layers; raises Unscannable."""

    def __call__(
        self,
        layers: Sequence[Layer],
        snapshot: Snapshot,
        *,
        languages: bool,
        check: Callable[[], None] | None = None,
    ) -> Report: ...


def choose(environ: Mapping[str, str]) -> Engine:
    """The engine that LABS_SCANNER names; raises Unscannable for an unknown name."""
    name = environ.get(VARIABLE, "").lower()
    if name in ("", "labs"):
        return report.scan
    if name == "trivy":
        from labs_helpers.sandbox.scanner.trivy import Trivy

        return Trivy(environ)
    raise Unscannable(f"{VARIABLE} is {name!r}; it must be labs or trivy, or unset.")
