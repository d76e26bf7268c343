"""Quantities as horizontal bars, each with its number beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from labs_helpers.display.shown import CALM, Shown

WIDTH = 40
"""Characters of the longest bar in the text form."""


def size(count: int) -> str:
    """Bytes as Docker writes them: decimal units, three figures."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{count}B" if unit == "B" else f"{amount:.3g}{unit}"
        amount /= 1000
    raise AssertionError("unreachable: the last unit returns")


def bars(rows: Sequence[tuple[str, float, str]], colour: str = CALM) -> Shown:
    """One bar a row of (label, amount, how the amount is written); amounts are not negative."""
    most = max((amount for _, amount, _ in rows), default=0) or 1
    wide = max((len(label) for label, _, _ in rows), default=0)
    long = max((len(written) for _, _, written in rows), default=0)
    lines, cells = [], []
    for label, amount, written in rows:
        bar = "█" * max(round(WIDTH * amount / most), 1 if amount else 0)
        lines.append(f"{label:<{wide}}  {written:>{long}}  {bar}".rstrip())
        percent = 100 * amount / most
        cells.append(
            f'<tr style="background:transparent"><th scope="row" style="text-align:left">'
            f'<code>{escape(label)}</code></th><td style="text-align:right">{escape(written)}</td>'
            f'<td style="width:20em;text-align:left"><div aria-hidden="true" style="width:'
            f'{percent:.1f}%;min-width:1px;height:0.8em;background:{colour}"></div></td></tr>'
        )
    return Shown("\n".join(lines), f"<table>{''.join(cells)}</table>")
