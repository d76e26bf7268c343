"""A passage of a lesson in Markdown, as a hint is one, drawn: code, bold words and links."""

from __future__ import annotations

import re
from html import escape

from labs_helpers.display.rendering import Rendering, spelled

_FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PARAGRAPHS = re.compile(r"\n\s*\n")
_MARKED = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https?://[^)\s]+)\)")
"""Code, bold words, or a link."""


def prose(markdown: str) -> Rendering:
    """The passage: in HTML with its code as code, in text without the marks of Markdown."""
    drawn = [
        _block(part) if number % 2 else _paragraph(part)
        for number, whole in enumerate(_FENCED.split(markdown))
        for part in ([whole] if number % 2 else _PARAGRAPHS.split(whole.strip()))
        if part.strip()
    ]
    return Rendering("\n\n".join(one.text for one in drawn), "".join(one.html for one in drawn))


def _block(code: str) -> Rendering:
    return Rendering(code.rstrip("\n"), f"<pre>{escape(code)}</pre>")


def _paragraph(lines: str) -> Rendering:
    """One paragraph; its lines are one, so that no command is broken where a line ended."""
    line = " ".join(lines.split())
    text, html, end = [], [], 0
    for found in _MARKED.finditer(line):
        before = line[end : found.start()]
        code, bold, name, address = found.groups()
        text += [before, code or bold or f"{name} ({address})"]
        html += [spelled(before), _marked(code, bold, name, address)]
        end = found.end()
    return Rendering(
        "".join([*text, line[end:]]), f"<p>{''.join([*html, spelled(line[end:])])}</p>"
    )


def _marked(code: str | None, bold: str | None, name: str | None, address: str | None) -> str:
    if code:
        return f"<code>{escape(code)}</code>"
    if bold:
        return f"<b>{spelled(bold)}</b>"
    return f'<a href="{escape(address or "")}" target="_blank">{spelled(name or "")}</a>'
