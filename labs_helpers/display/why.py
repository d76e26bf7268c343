"""Why IAM decided as it did: who asked, for what, on what, which policies, which statement."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from labs_helpers.display.shown import BAD, GOOD, Shown, columns, framed, rows_html


def why(explained: Mapping[str, Any]) -> Shown:
    """Draw a decision.

    ``explained`` has ``principal``, ``action``, ``resource``, ``outcome`` ("allowed",
    "implicitDeny" or "explicitDeny") and ``sentence``, AWS's own for a refusal; ``policies``, those
    that had a say, each with ``kind``, ``name`` and ``via``; ``statements``, those that decided,
    each with ``name``, ``index`` (from 0) and ``statement``; ``would_allow``, the smallest
    statement that would have, and ``where`` it belongs, both None for what is allowed.
    """
    allowed = explained["outcome"] == "allowed"
    mark, edge = ("✓ allowed", GOOD) if allowed else ("✗ refused", BAD)
    rows = [
        ("who", str(explained["principal"])),
        ("what", str(explained["action"])),
        ("on", str(explained["resource"])),
        *(("looked at", line) for line in _looked_at(explained["policies"])),
        *(("because", line) for line in _because(explained)),
    ]
    cure = None if allowed else explained.get("would_allow")
    if cure:
        rows.append(("what would help", f"this statement in {explained['where']}"))
    elif not allowed and explained["outcome"] == "explicitDeny":
        rows.append(("what would help", "to change the statement that denies; no allow beats it"))
    text = mark + "\n" + columns(rows, indent=2)
    html = rows_html(rows)
    if cure:
        statement = json.dumps(cure, indent=2)
        text += "\n" + "\n".join(f"    {line}" for line in statement.splitlines())
        html += f'<pre style="margin:4px 0 0 2em">{escape(statement)}</pre>'
    return Shown(text, framed(edge, mark, html))


def nothing() -> Shown:
    """Nothing was refused yet."""
    said = "Nothing has been refused yet."
    return Shown(said, f"<p>{said}</p>")


def _looked_at(policies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not policies:
        yield "no policy: none is attached to the caller, none is on the resource"
    for one in policies:
        via = f", {one['via']}" if one["via"] else ""
        yield f"{one['name']} ({one['kind']}{via})"


def _because(explained: Mapping[str, Any]) -> Iterator[str]:
    """The end of AWS's sentence, then the statements that decided, each on lines of its own."""
    sentence = str(explained["sentence"])
    for beginning in ("because ", "with an explicit deny"):
        at = sentence.find(f" {beginning}")
        if at >= 0:
            yield sentence[at + 1 :].removeprefix("because ")
    for one in explained["statements"]:
        sid = f" ({one['sid']})" if one["sid"] else ""
        yield f"statement {one['index'] + 1} of {one['name']}{sid}:"
        yield "  " + json.dumps(one["statement"])
    if not sentence and not explained["statements"]:
        yield "this caller needs no policy"
