"""What differs from AWS, as a list a learner can follow to its sources."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from labs_helpers.display.shown import Shown, columns


def differences(entries: Sequence[tuple[str, str, str]]) -> Shown:
    """Entries of (here, on AWS, source URL)."""
    if not entries:
        nothing = "Nothing in this lab is known to differ from AWS."
        return Shown(nothing, f"<p>{nothing}</p>")
    text = "\n\n".join(
        columns([("here", here), ("on AWS", on_aws), ("source", source)])
        for here, on_aws, source in entries
    )
    rows = "".join(
        f'<tr><td style="text-align:left">{escape(here)}</td>'
        f'<td style="text-align:left">{escape(on_aws)} '
        f'<a href="{escape(source)}" target="_blank" rel="noopener">source</a></td></tr>'
        for here, on_aws, source in entries
    )
    html = (
        "<table><thead><tr><th style='text-align:left'>here</th>"
        f"<th style='text-align:left'>on AWS</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    return Shown(text, html)
