"""A room as one HTML page, which needs no other file and no network.

The page loads itself again with a few lines of script, and can be paused: a page that a meta
element refreshes could not (https://www.w3.org/WAI/WCAG22/Techniques/failures/F41).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from labs_helpers.classroom.room import DOES_NOT_MOVE, QUIET, Learner, Room, level
from labs_helpers.classroom.table import ago, numbers, state, tried
from labs_helpers.curriculum import LABS
from labs_helpers.progress.summary import LabSummary

REFRESH_SECONDS = 15

_STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --line: #8c959f;
  --l0: #ffffff; --l1: #e3eef9; --l2: #ffe8b8; --l3: #b5d7f4; --l4: #a5dfb0; --alert: #ffe8b8; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --back: #0d1117; --line: #6e7681;
  --l0: #0d1117; --l1: #172a41; --l2: #5a3f00; --l3: #12447a; --l4: #14532d; --alert: #5a3f00; } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
  margin: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; } .wide { overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .2rem .55rem; text-align: left;
  font-weight: 400; overflow-wrap: anywhere; }
thead th { font-weight: 600; } .n { text-align: right; }
.l0 { background: var(--l0); } .l1 { background: var(--l1); } .l2 { background: var(--l2); }
.l3 { background: var(--l3); } .l4 { background: var(--l4); } .alert { background: var(--alert); }
button { font: inherit; padding: .2rem .8rem; color: inherit; background: var(--back);
  border: 1px solid var(--line); border-radius: .3rem; }
"""

_SCRIPT = """
const button = document.querySelector("button");
const kept = "labs-class-paused";
let paused = sessionStorage.getItem(kept) === "yes";
function show() {
  button.textContent = paused ? "Refresh again every %(seconds)s seconds" : "Stop refreshing";
  button.hidden = false;
}
button.addEventListener("click", () => {
  paused = !paused;
  sessionStorage.setItem(kept, paused ? "yes" : "no");
  show();
});
setInterval(() => { if (!paused) location.reload(); }, %(seconds)s * 1000);
show();
"""


def html(room: Room) -> str:
    """The whole page. Everything that a learner wrote is escaped."""
    at = f"{room.now.astimezone():%H:%M:%S}"
    script = _SCRIPT % {"seconds": REFRESH_SECONDS}
    body = "".join((_still(room), _map(room), _minutes(room), _notes(room)))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>Class at {at}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>Class</h1><p>{len(room.learners)} learners, at {at}. "
        f"<button hidden></button></p>{body}</main><script>{script}</script></body></html>\n"
    )


def _map(room: Room) -> str:
    head = ("learner", *LABS, "next", "state")
    rows = "".join(
        f'<tr><th scope="row">{escape(one.name)}</th>{"".join(map(_cell, one.labs))}'
        f"<td>{escape(one.part or '')}</td>{_state(room, one)}</tr>"
        for one in room.learners
    )
    named = ", ".join(f"{number} {escape(lab.name)}" for number, lab in LABS.items())
    return (
        f"<h2>Labs</h2>{_table('How far each learner is, by lab', head, rows)}"
        f"<p>done: every exercise of the lab. 1/2: exercises that are done. tried: a check did not "
        f"pass yet. open: the lab was opened.</p><p>{named}</p>"
    )


def _cell(lab: LabSummary) -> str:
    number, said = level(lab)
    return f'<td class="l{number}">{escape(said)}</td>'


def _state(room: Room, one: Learner) -> str:
    alert = ' class="alert"' if one.state in (DOES_NOT_MOVE, QUIET) else ""
    return f"<td{alert}>{escape(state(room, one))}</td>"


def _still(room: Room) -> str:
    if not room.still:
        return "<h2>Not moved for ten minutes</h2><p>Nobody.</p>"
    head = ("learner", "exercise", "what was tried", "moved", "active")
    rows = "".join(
        f'<tr><th scope="row">{escape(one.name)}</th><td>{escape(one.part or "")}</td>'
        f"<td>{escape(tried(one))}</td><td>{ago(room.now, one.moved)} ago</td>"
        f"<td>{ago(room.now, one.active)} ago</td></tr>"
        for one in room.still
    )
    return f"<h2>Not moved for ten minutes</h2>{_table('Who may need you', head, rows)}"


def _minutes(room: Room) -> str:
    each = [
        (key, *numbers(one), f"{LABS[key].minutes}" if key in LABS else "")
        for found in (room.exercises, room.labs)
        for key, one in found.items()
        if one.count
    ]
    if not each:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{"lab " if row[0] in LABS else ""}{escape(row[0])}</th>'
        + "".join(f'<td class="n">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in each
    )
    head = ("exercise", "did it", "median min", "longest min", "printed min")
    return f"<h2>Minutes</h2>{_table('Active minutes of those who did it', head, rows)}"


def _table(caption: str, head: Sequence[str], rows: str) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _notes(room: Room) -> str:
    rows = "".join(
        f"<li>{escape(one.name)}: {escape(note)}</li>"
        for one in room.learners
        for note in one.notes
    )
    return f"<h2>Odd</h2><ul>{rows}</ul>" if rows else ""
