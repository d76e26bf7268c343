"""An ECR authorization token, opened up without showing what must stay secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from labs_helpers.display.shown import CALM, Shown, columns, framed, rows_html
from labs_helpers.display.spans import until


@dataclass(frozen=True)
class Token:
    """``owner`` is the ARN that asked for it; ``remaining`` is measured on the lab's clock."""

    user: str
    owner: str
    remaining: timedelta
    registry: str


def token(shown: Token) -> Shown:
    """Whose the token is, until when, and for which registry."""
    rows = [
        ("user name", f"{shown.user}  (always this word, whoever you are)"),
        ("password", "secret: docker login reads it from standard input"),
        ("whose", shown.owner),
        ("may do", "what that user's policies allow, and no more"),
        ("ends", until(shown.remaining)),
        ("opens", shown.registry),
    ]
    head = "An ECR authorization token"
    return Shown(head + "\n" + columns(rows, 2), framed(CALM, head, rows_html(rows)))
