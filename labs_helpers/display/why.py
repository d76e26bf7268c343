"""Why IAM decided as it did: principal, action, resource, policies and statements."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from labs_helpers.display.rendering import (
    BAD,
    GOOD,
    Rendering,
    columns,
    framed,
    paragraph,
    rows_html,
)


def why(explained: Mapping[str, Any]) -> Rendering:
    """Draw a decision.

    ``explained`` has these keys:

    - ``principal``, ``action``, ``resource``;
    - ``outcome``: "allowed", "implicitDeny" or "explicitDeny";
    - ``sentence``: AWS's refusal text; empty if allowed;
    - ``policies``: those evaluated, each with ``kind``, ``name`` and ``via``;
    - ``statements``: those that decided, each with ``name``, ``kind``, ``sid``, ``index`` (from 0)
      and ``statement``;
    - ``would_allow``: the smallest statement that would allow the request, None if no statement
      helps or none is needed; ``where``: the policy to add it to.

    IAM's own simulator reports less. Then ``policies`` and every ``statement`` are None, ``line``
    and ``column`` say where each statement begins, ``not_looked_at`` lists what the simulator
    ignores, and ``missing_context`` the condition keys whose values it did not have.
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
    remedy = None if allowed else explained.get("would_allow")
    if remedy:
        rows.append(("what would help", f"this statement in {explained['where']}"))
    elif not allowed and explained["outcome"] == "explicitDeny":
        rows.append(("what would help", "to change the statement that denies; no allow beats it"))
    text = mark + "\n" + columns(rows, indent=2)
    html = rows_html(rows)
    if remedy:
        statement = json.dumps(remedy, indent=2)
        text += "\n" + "\n".join(f"    {line}" for line in statement.splitlines())
        html += f'<pre style="margin:4px 0 0 2em">{escape(statement)}</pre>'
    return Rendering(text, framed(edge, mark, html))


def nothing() -> Rendering:
    """The answer before the first refusal."""
    return paragraph("Nothing has been refused yet.")


def not_kept() -> Rendering:
    """The answer on AWS, which cannot be asked for the last refusal: where to look instead.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html
    https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
    """
    head = "AWS cannot be asked for your last refusal. You can:"
    rows = [
        ("read the message", "it names the action, the resource and the kind of policy"),
        ("open its link", "where it ends with an authorization ID  (a preview of AWS)"),
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
    return Rendering(f"{head}\n{columns(rows, indent=2)}", f"<p>{head}</p>{rows_html(rows)}")


def _looked_at(policies: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    if policies is None:
        yield "by IAM's simulator: the policies of the caller, its groups and its organization"
        return
    if not policies:
        yield "no policy: none is attached to the caller, none is on the resource"
    for policy in policies:
        via = f", {policy['via']}" if policy["via"] else ""
        yield f"{policy['name']} ({policy['kind']}{via})"


def _because(explained: Mapping[str, Any]) -> Iterator[str]:
    """The reason in AWS's sentence, then each statement that decided, on lines of its own."""
    sentence = str(explained["sentence"])
    for beginning in ("because ", "with an explicit deny"):
        at = sentence.find(f" {beginning}")
        if at >= 0:
            yield sentence[at + 1 :].removeprefix("because ")
    for found in explained["statements"]:
        if found["statement"] is None:
            where = f" at line {found['line']}, column {found['column']}" if found["line"] else ""
            yield f"a statement of {found['name']} ({found['kind']}){where}"
            continue
        sid = f" ({found['sid']})" if found["sid"] else ""
        yield f"statement {found['index'] + 1} of {found['name']}{sid}:"
        yield "  " + json.dumps(found["statement"])
    if not sentence and not explained["statements"]:
        yield "this caller needs no policy"
