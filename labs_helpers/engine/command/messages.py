"""Docker's JSON messages, printed as to a pipe.

Source: https://github.com/moby/moby/blob/v28.2.2/pkg/jsonmessage/jsonmessage.go
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from .failure import Failure

Message = dict[str, Any]


def show(messages: Iterator[Message], out: TextIO) -> list[Any]:
    """Print messages as they come; return what came as ``aux``.

    Raises:
        Failure: the stream says that the operation failed; the status is its code, or 1.
    """
    aux = []
    for message in messages:
        if "aux" in message:
            aux.append(message["aux"])
            continue
        detail = message.get("errorDetail")
        if detail or "error" in message:
            text = str((detail or {}).get("message") or message.get("error"))
            raise Failure(text, int((detail or {}).get("code") or 1) if detail else 1)
        text = _text(message)
        out.write(text)
        if text:
            out.flush()
    return aux


def _text(message: Message) -> str:
    progress = message.get("progressDetail") or {}
    if progress.get("current") or progress.get("total"):
        return ""  # a progress bar, which only a terminal shows
    start = f"{message['id']}: " if message.get("id") else ""
    if message.get("from"):
        start += f"(from {message['from']}) "
    if message.get("stream"):
        return f"{start}{message['stream']}"
    return f"{start}{message.get('status', '')}\n"
