"""The card that a lab opens with: where the lab works, and what the lab starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labs_helpers.display.rendering import BAD, CALM, Rendering, columns, framed, rows_html


@dataclass(frozen=True)
class Setting:
    """Where a lab works; ``mode`` is "sandbox" or "aws"."""

    mode: str
    account: str
    region: str
    registry: str
    engine: str


def card(
    title: str,
    setting: Setting,
    ready: Sequence[str],
    label: str = "ready",
    removed: Sequence[str] = (),
    notes: Sequence[str] = (),
    snapshot: str = "",
    so_far: str = "",
) -> Rendering:
    """The card of a lab.

    ``ready`` are facts that hold now. On AWS they are what ``lab.prepare`` would make true, and
    ``label`` says so. ``removed`` is what was taken away to make them true; ``snapshot`` says how
    to bring all of it back, and stands before the rest. ``so_far`` are the lab's exercises, done
    and open. No port, path, time or process id: the card is the same on every machine.
    """
    on_aws = setting.mode == "aws"
    head = f"{'REAL AWS' if on_aws else 'SANDBOX'} · {title}"
    gone = ["to make this beginning:", *removed] if removed else []
    rows = [
        (
            "account",
            setting.account + ("  (real: what you do here can cost money)" if on_aws else ""),
        ),
        ("region", setting.region),
        ("registry", setting.registry),
        ("engine", setting.engine),
        *([("so far", so_far)] if so_far else []),
        *([("snapshot", snapshot)] if snapshot else []),
        *((label, fact) for fact in ready),
        *(("removed", one) for one in gone),
        *(("note", note) for note in notes),
    ]
    return Rendering(
        text=head + "\n" + columns(rows, indent=2),
        html=framed(BAD if on_aws else CALM, head, rows_html(rows)),
    )
