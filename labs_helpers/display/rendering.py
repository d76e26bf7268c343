"""A drawing, which is text and HTML that say the same, and what all drawings are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape

_CODE = re.compile(r"`([^`\n]+)`")
_OF_FORMULAS = re.compile(r"[$\\]")

GOOD = "var(--jp-success-color1)"
WARN = "var(--jp-warn-color1)"
BAD = "var(--jp-error-color1)"
CALM = "var(--jp-info-color1)"


@dataclass(frozen=True)
class Rendering:
    """A drawing. ``text`` is complete: a terminal, a test and a screen reader see nothing else."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def spelled(text: str) -> str:
    """A text as HTML that every notebook front end shows as it is written.

    MathJax would set what is between two dollar signs, or begins with a backslash, as a formula,
    but never across the border of an element:
    https://docs.mathjax.org/en/v3.2/options/input/tex.html. Words between backticks become code, as
    they are in the lessons.
    """
    parts = _CODE.split(escape(text))
    return "".join(
        f"<code>{part}</code>" if number % 2 else _OF_FORMULAS.sub(r"<span>\g<0></span>", part)
        for number, part in enumerate(parts)
    )


def paragraph(text: str) -> Rendering:
    """One sentence."""
    return Rendering(text, f"<p>{spelled(text)}</p>")


def columns(rows: Iterable[tuple[str, str]], indent: int = 0) -> str:
    """Rows of (label, value) as text with the values aligned; a repeated label appears once."""
    listed = list(rows)
    width = max((len(label) for label, _ in listed), default=0)
    lines, last = [], ""
    for label, value in listed:
        shown = "" if label == last else label
        lines.append(" " * indent + f"{shown:<{width}}  {value}".rstrip())
        last = label
    return "\n".join(lines)


def rows_html(rows: Iterable[tuple[str, str]]) -> str:
    """The same rows as a two-column HTML table with row headers."""
    cells, last = [], ""
    for label, value in rows:
        shown = "" if label == last else spelled(label)
        cells.append(
            '<tr style="background:transparent">'
            '<th scope="row" style="text-align:left;padding:1px 14px 1px 0;'
            f'font-weight:600;vertical-align:top">{shown}</th>'
            f'<td style="text-align:left;padding:1px 0">{spelled(value)}</td></tr>'
        )
        last = label
    return f'<table style="margin:0;border:0">{"".join(cells)}</table>'


def table(
    head: Sequence[str], body: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> Rendering:
    """A table. ``right`` lists the indexes of the columns to align on the right."""
    widths = [max(len(row[column]) for row in (head, *body)) for column in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = [
            text.rjust(widths[i]) if i in right else text.ljust(widths[i])
            for i, text in enumerate(row)
        ]
        return "  ".join(cells).rstrip()

    def cell(tag: str, index: int, text: str) -> str:
        align = "right" if index in right else "left"
        return f'<{tag} style="text-align:{align}">{spelled(text)}</{tag}>'

    text = "\n".join([line(head), line(["-" * width for width in widths]), *map(line, body)])
    heads = "".join(cell("th", i, name) for i, name in enumerate(head))
    rows = "".join(
        "<tr>" + "".join(cell("td", i, value) for i, value in enumerate(row)) + "</tr>"
        for row in body
    )
    html = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return Rendering(text, html)


def framed(edge: str, title: str, inner: str) -> str:
    """An HTML box. The colour of its left edge repeats what the title says."""
    return (
        f'<div style="border:1px solid var(--jp-border-color2);border-left:6px solid {edge};'
        "background:var(--jp-layout-color1);color:var(--jp-ui-font-color1);"
        'padding:8px 14px;margin:4px 0;max-width:60em">'
        f'<div style="font-weight:700;margin-bottom:4px">{spelled(title)}</div>{inner}</div>'
    )


def duration(length: timedelta) -> str:
    """To the minute: "12 hours", "2 days 1 hour", "1 hour 5 minutes", "less than a minute"."""
    minutes = round(length.total_seconds() / 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [
        f"{count} {unit}{'' if count == 1 else 's'}"
        for count, unit in ((days, "day"), (hours, "hour"), (minutes, "minute"))
        if count
    ]
    return " ".join(parts) or "less than a minute"


def relative(remaining: timedelta) -> str:
    """When something ends, relative to now: "in 12 hours", "1 hour ago".

    A drawing says this instead of the date, which would differ from run to run.
    """
    if remaining < timedelta():
        return f"{duration(-remaining)} ago"
    return f"in {duration(remaining)}"
