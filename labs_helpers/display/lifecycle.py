"""What a lifecycle policy would do to each image of a repository: a list, and a time line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from labs_helpers.display.bars import size
from labs_helpers.display.rendering import BAD, GOOD, WARN, Rendering, duration, relative, spelled

BYTES_OF_A_GB = 10**9

_WIDTH = 30
"""Length of the time line in the text form, in characters."""


def explained(repository: str, found: Mapping[str, Any], price: float | None = None) -> Rendering:
    """The outcome for every image, the oldest first. ``found`` is what /_labs/lifecycle answers.

    ``price``: USD for a GB of storage in a month; None leaves the saving out.
    """
    images: Sequence[Mapping[str, Any]] = found["images"]
    if not images:
        return _said(f"The repository {repository} holds no images.", "", "")
    now = float(found["now"])
    oldest = min(float(each["pushed_at"]) for each in images)
    span = max(now - oldest, 1.0)
    rows = [(each, (float(each["pushed_at"]) - oldest) / span) for each in images]
    width = max(len(_name(each)) for each in images)
    lines = [
        f"{_name(each):<{width}}  {_line(at)}  {_fate(each)}  (pushed {_age(now, each)} ago)"
        for each, at in rows
    ]
    cells = "".join(
        '<tr style="background:transparent"><th scope="row" style="text-align:left"><code>'
        f"{spelled(_name(each))}</code></th>"
        '<td style="width:14em"><div aria-hidden="true" style="height:0.7em;'
        f'margin-left:{100 * min(at, 0.97):.1f}%;background:{_colour(each)}"></div></td>'
        f'<td style="text-align:left">{spelled(_fate(each))}</td>'
        f'<td style="text-align:left">{spelled(_age(now, each))} ago</td></tr>'
        for each, at in rows
    )
    head = (
        "<thead><tr><th>image</th><th>from its push until now</th><th>what becomes of it</th>"
        "<th>pushed</th></tr></thead>"
    )
    return _said(
        _summary(repository, found, price), "\n".join(lines), f"<table>{head}{cells}</table>"
    )


def _said(sentence: str, lines: str, html: str) -> Rendering:
    text = f"{sentence}\n\n{lines}" if lines else sentence
    return Rendering(text, f"<p>{spelled(sentence)}</p>{html}")


def _summary(repository: str, found: Mapping[str, Any], price: float | None) -> str:
    if found["next_run"] is None:
        return f"The repository {repository} has no lifecycle policy: every image stays."
    taken = [each for each in found["images"] if each["action"]]
    when = relative(timedelta(seconds=float(found["next_run"]) - float(found["now"])))
    if not taken:
        return f"Today the policy of {repository} takes no image. ECR evaluates it again {when}."
    total = sum(int(each["size"]) for each in found["images"])
    freed = sum(int(each["size"]) for each in taken)
    images = "1 image" if len(taken) == 1 else f"{len(taken)} images"
    expired = sum(int(each["size"]) for each in taken if each["action"] == "expire")
    return (
        f"Today the policy of {repository} takes {images} of {len(found['images'])}: "
        f"{size(freed)} of {size(total)}. {_saving(expired, price)}"
        f"ECR evaluates it again {when}."
    )


def _saving(expired: int, price: float | None) -> str:
    """What the expired bytes cost a month, as a sentence; layers that other images share stay."""
    if price is None or not expired:
        return ""
    dollars = expired / BYTES_OF_A_GB * price
    amount = "less than 0.01" if dollars < 0.01 else f"up to {dollars:.2f}"
    return f"That saves {amount} USD a month, at {price:.2f} USD a GB. "


def _name(image: Mapping[str, Any]) -> str:
    tags = ", ".join(image["tags"])
    return tags or f"(no tag) {str(image['digest']).split(':')[-1][:12]}"


def _fate(image: Mapping[str, Any]) -> str:
    if image["action"] == "expire":
        return f"expires by rule {image['rule']}"
    if image["action"] == "archive":
        return f"goes to the archive by rule {image['rule']}"
    place = "stays in the archive" if image["storage"] == "ARCHIVE" else "stays"
    return f"{place}: {image['why']}"


def _colour(image: Mapping[str, Any]) -> str:
    return {"expire": BAD, "archive": WARN}.get(str(image["action"]), GOOD)


def _line(at: float) -> str:
    begin = min(round(at * _WIDTH), _WIDTH - 1)
    return " " * begin + "─" * (_WIDTH - begin)


def _age(now: float, image: Mapping[str, Any]) -> str:
    return duration(timedelta(seconds=now - float(image["pushed_at"])))
