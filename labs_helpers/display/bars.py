"""Quantities as horizontal bars, each with its number beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from labs_helpers.display.rendering import CALM, Rendering

WIDTH = 40
"""Length of the longest bar in the text form, in characters."""

INSTRUCTION_WIDTH = 60


def size(count: int) -> str:
    """A number of bytes as Docker writes it: decimal units, three significant digits."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{count}B" if unit == "B" else f"{amount:.3g}{unit}"
        amount /= 1000
    raise AssertionError("unreachable: the last unit returns")


def bars(rows: Sequence[tuple[str, float, str]], colour: str = CALM) -> Rendering:
    """One bar for each row of (label, amount, amount as text). No amount may be negative."""
    most = max((amount for _, amount, _ in rows), default=0) or 1
    label_width = max((len(label) for label, _, _ in rows), default=0)
    text_width = max((len(written) for _, _, written in rows), default=0)
    lines, cells = [], []
    for label, amount, written in rows:
        bar = "█" * max(round(WIDTH * amount / most), 1 if amount else 0)
        lines.append(f"{label:<{label_width}}  {written:>{text_width}}  {bar}".rstrip())
        percent = 100 * amount / most
        cells.append(
            f'<tr style="background:transparent"><th scope="row" style="text-align:left">'
            f'<code>{escape(label)}</code></th><td style="text-align:right">{escape(written)}</td>'
            f'<td style="width:20em;text-align:left"><div aria-hidden="true" style="width:'
            f'{percent:.1f}%;min-width:1px;height:0.8em;background:{colour}"></div></td></tr>'
        )
    return Rendering("\n".join(lines), f"<table>{''.join(cells)}</table>")


def layers(history: Sequence[Mapping[str, Any]]) -> Rendering:
    """The layers of an image, newest on top, as ``docker history`` lists them.

    ``history`` is the answer of the Engine API to ``/images/{name}/history``; each entry has
    ``CreatedBy`` and ``Size`` (bytes).
    """
    return bars(
        [
            (_instruction(str(entry["CreatedBy"])), int(entry["Size"]), size(int(entry["Size"])))
            for entry in history
        ]
    )


def _instruction(created_by: str) -> str:
    """The Dockerfile instruction in a history entry, without the shell that the builder adds."""
    text = " ".join(created_by.split("#(nop)", 1)[-1].split())
    return text if len(text) <= INSTRUCTION_WIDTH else text[: INSTRUCTION_WIDTH - 1] + "…"
