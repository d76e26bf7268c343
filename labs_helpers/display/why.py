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

    IAM's own simulator says less: ``policies`` is then None, a ``statement`` None, with the
    ``line`` and ``column`` where it begins in place of its index, and there are ``not_looked_at``
    and ``missing_context``, condition keys that it was not given.
    """
    allowed = explained["outcome"] == "allowed"
    mark, edge = ("✓ allowed", GOOD) if allowed else ("✗ refused", BAD)
    rows = [
        ("who", str(explained["principal"])),
        ("what", str(explained["action"])),
        ("on", str(explained["resource"])),
        *(("looked at", line) for line in _looked_at(explained["policies"])),
        *(("because", line) for line in _because(explained)),
        *(("not looked at", line) for line in explained.get("not_looked_at", ())),
        *(("not known", key) for key in explained.get("missing_context", ())),
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


def not_kept() -> Shown:
    """On AWS: nobody can be asked for the last refusal, and where else to look.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
    """
    said = "AWS does not keep your last refusal where you could ask for it. You can:"
    rows = [
        ("read the message", "it names the action, the resource and the kind of policy"),
        ("ask the simulator", 'lab.why("ecr:PutImage", "demo-app-repo")'),
        (
            "decode a message",
            "aws sts decode-authorization-message --encoded-message ...  (EC2 encodes them)",
        ),
        (
            "look it up",
            "aws cloudtrail lookup-events --lookup-attributes "
            "AttributeKey=EventName,AttributeValue=PutImage  (minutes later, for 90 days)",
        ),
    ]
    return Shown(f"{said}\n{columns(rows, indent=2)}", f"<p>{said}</p>{rows_html(rows)}")


def _looked_at(policies: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    if policies is None:
        yield "by IAM's simulator: the policies of the caller, its groups and its organization"
        return
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
        if one["statement"] is None:
            where = f" at line {one['line']}, column {one['column']}" if one["line"] else ""
            yield f"a statement of {one['name']} ({one['kind']}){where}"
            continue
        sid = f" ({one['sid']})" if one["sid"] else ""
        yield f"statement {one['index'] + 1} of {one['name']}{sid}:"
        yield "  " + json.dumps(one["statement"])
    if not sentence and not explained["statements"]:
        yield "this caller needs no policy"
