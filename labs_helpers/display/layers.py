"""The layers of an image, newest on top, as ``docker history`` lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.display.bars import bars, size
from labs_helpers.display.shown import Shown

INSTRUCTION_WIDTH = 60


def layers(history: Sequence[Mapping[str, Any]]) -> Shown:
    """Draw the answer of the Engine API's ``/images/{name}/history``: ``CreatedBy``, ``Size``."""
    return bars(
        [
            (instruction(str(entry["CreatedBy"])), int(entry["Size"]), size(int(entry["Size"])))
            for entry in history
        ]
    )


def instruction(created_by: str) -> str:
    """The Dockerfile instruction behind a history entry, without the builder's shell in front."""
    text = created_by.split("#(nop)", 1)[-1] if "#(nop)" in created_by else created_by
    text = " ".join(text.split())
    return text if len(text) <= INSTRUCTION_WIDTH else text[: INSTRUCTION_WIDTH - 1] + "…"
