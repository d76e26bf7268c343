"""The learner's progress as a list of labs, each with a tick, its exercises and its minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from labs_helpers.display.rendering import Rendering, paragraph, table

MARKS = {"done": "✓", "shown": "◐", "tried": "~", "open": "○"}
"""The sign of each state of an exercise. The legend below the list says what the signs mean."""

LEGEND = "✓ done   ◐ shown by catch_up   ~ tried   ○ not tried yet"


@dataclass(frozen=True)
class Row:
    """One lab: ``states`` are (exercise, state) in order; ``minutes`` are the learner's own."""

    name: str
    notebook: str
    finished: bool
    states: tuple[tuple[str, str], ...]
    minutes: float


def overview(rows: Sequence[Row], go_on: tuple[str, str, str] | None) -> Rendering:
    """The list. ``go_on`` is (what, notebook, heading) of what is next, None when all is done."""
    text = table(("", "lab", "exercises", "minutes"), [_cells(row) for row in rows], (3,)).text
    said, link = _next(go_on)
    body = "".join(_html(row) for row in rows)
    heads = "".join(
        f'<th scope="col" style="text-align:{side};white-space:nowrap">{name}</th>'
        for name, side in (("lab", "left"), ("exercises", "left"), ("minutes", "right"))
    )
    html = (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{escape(LEGEND)}</p>{link}"
    )
    return Rendering(f"{text}\n{LEGEND}\n{said}", html)


def _cells(row: Row) -> tuple[str, str, str, str]:
    marks = "  ".join(f"{MARKS[state]} {exercise}" for exercise, state in row.states)
    return "✓" if row.finished else "", row.name, marks, _minutes(row)


def _minutes(row: Row) -> str:
    return f"{row.minutes:.0f}" if row.minutes else ""


def _html(row: Row) -> str:
    marks = "&ensp;".join(
        f'<span style="white-space:nowrap"><span aria-hidden="true">{MARKS[state]}</span> '
        f'{escape(exercise)}<span style="{_HIDDEN}"> {escape(state)}</span></span>'
        for exercise, state in row.states
    )
    tick = f' <span role="img" aria-label="finished">{MARKS["done"]}</span>' if row.finished else ""
    return (
        '<tr><th scope="row" style="text-align:left;font-weight:400">'
        f'<a href="{escape(row.notebook)}">{escape(row.name)}</a>{tick}</th>'
        f'<td style="text-align:left">{marks}</td>'
        f'<td style="text-align:right">{_minutes(row)}</td></tr>'
    )


_HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
"""Words for a screen reader only, beside a sign that says the same to the eye."""


def _next(go_on: tuple[str, str, str] | None) -> tuple[str, str]:
    if go_on is None:
        said = "Every exercise of every lab is done."
        return said, paragraph(said).html
    what, notebook, heading = go_on
    link = f'<a href="{escape(notebook + _fragment(heading))}">{escape(what)}</a>'
    return f"Go on with {what} in {notebook}", f"<p>Go on with {link}</p>"


def _fragment(heading: str) -> str:
    """The part of a link that leads to a heading of a notebook, as JupyterLab names headings.

    https://github.com/jupyterlab/jupyterlab/blob/v4.4.0/packages/rendermime/src/renderers.ts
    """
    return f"#{quote(heading.replace(' ', '-'))}" if heading else ""
