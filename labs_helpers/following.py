"""Output that follows the world: a thread of the kernel looks again and again, and redraws."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from labs_helpers.display.overview import MARKS
from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.errors import FOR_THE_LEARNER, said
from labs_helpers.notebook_output import display

SECONDS = 3.0
"""How long a thread waits between two looks."""


class Following(threading.Thread):
    """Redraws one output until ``redraw`` says that nothing more can change, or until ``end``.

    ``redraw`` returns the new drawing, None where nothing changed, and whether to go on. What
    stops the looking and is for the learner is shown in place of the drawing. The thread ends with
    the kernel.
    """

    def __init__(
        self,
        redraw: Callable[[], tuple[Rendering | None, bool]],
        show: Callable[[Rendering], object],
        seconds: float = SECONDS,
    ) -> None:
        super().__init__(name="following", daemon=True)
        self._redraw = redraw
        self._show = show
        self._seconds = seconds
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                drawing, more = self._redraw()
            except FOR_THE_LEARNER as fault:
                self._show(paragraph(said(fault)))
                return
            if drawing is not None and not self._ended.is_set():
                self._show(drawing)
            if not more:
                return

    def end(self) -> None:
        """Look no more. A look that has begun is not shown."""
        self._ended.set()


class Exercises:
    """The exercises that are followed, each with a tick as soon as its check passes.

    ``passes`` looks once and tells whether a check passes; ``done`` is told of each that does.
    """

    def __init__(
        self, ids: Sequence[str], passes: Callable[[str], bool], done: Callable[[str], object]
    ) -> None:
        self._passed = dict.fromkeys(ids, False)
        self._passes = passes
        self._done = done

    def look(self) -> tuple[Rendering | None, bool]:
        """Look at every exercise that had not passed; `Following.redraw`."""
        new = [one for one, passed in self._passed.items() if not passed and self._passes(one)]
        for one in new:
            self._passed[one] = True
            self._done(one)
        return self.drawn() if new else None, not all(self._passed.values())

    def drawn(self) -> Rendering:
        """A line for each exercise."""
        return paragraph(
            "   ".join(
                f"{MARKS['done'] if passed else MARKS['open']} {one}"
                for one, passed in self._passed.items()
            )
        )


_RUNNING: dict[str, Following] = {}


def follow(
    what: str,
    first: Rendering,
    redraw: Callable[[], tuple[Rendering | None, bool]],
    seconds: float = SECONDS,
) -> None:
    """Show ``first`` and keep the output up to date. An earlier following of ``what`` ends."""
    if (earlier := _RUNNING.pop(what, None)) is not None:
        earlier.end()
    area = display(first)
    _RUNNING[what] = Following(redraw, area.update, seconds)
    _RUNNING[what].start()
