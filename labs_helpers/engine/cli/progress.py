"""Prints Docker's JSON messages: as lines, or on a terminal with progress bars.

Source: https://github.com/moby/moby/blob/v28.2.2/pkg/jsonmessage/jsonmessage.go
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, TextIO

from .client import Failure
from .units import human_size

Message = dict[str, Any]

_ERASE, _UP, _DOWN = "\x1b[2K", "\x1b[{}A", "\x1b[{}B"
_CELLS = 50
_WIDE = 110
"""A terminal shows a bar beside the numbers if it has more columns than this."""


def show_progress(messages: Iterator[Message], out: TextIO) -> list[Any]:
    """Print messages as they arrive; return the values of ``aux``.

    Raises:
        Failure: the stream reports an error; the exit status is its code, or 1.
    """
    aux = []
    width = _width(out)
    lines: dict[str, int] = {}
    for message in messages:
        if "aux" in message:
            aux.append(message["aux"])
            continue
        identity = str(message.get("id") or "")
        up = 0
        if identity and message.get("progressDetail") is not None:
            if identity not in lines:
                lines[identity] = len(lines)
                out.write("\n" if width else "")
            up = len(lines) - lines[identity]
            out.write(_UP.format(up) if width else "")
        else:
            lines.clear()
        detail = message.get("errorDetail")
        if detail or "error" in message:
            text = str((detail or {}).get("message") or message.get("error"))
            raise Failure(text, int((detail or {}).get("code") or 1) if detail else 1)
        text = _on_terminal(message, width) if width else _text(message)
        out.write(text)
        if up and width:
            out.write(_DOWN.format(up))
        if text:
            out.flush()
    return aux


def _width(out: TextIO) -> int:
    """The columns of the terminal, or 0 when the output is not a terminal."""
    try:
        return (os.get_terminal_size(out.fileno()).columns or 200) if out.isatty() else 0
    except (OSError, ValueError):
        return 200 if out.isatty() else 0


def _text(message: Message) -> str:
    if bar(message.get("progressDetail") or {}, 0):
        return ""  # only a terminal shows progress
    if message.get("stream"):
        return f"{_start(message)}{message['stream']}"
    return f"{_start(message)}{message.get('status', '')}\n"


def _on_terminal(message: Message, width: int) -> str:
    detail, stream = message.get("progressDetail"), message.get("stream")
    if detail is None:
        return f"{_start(message)}{stream}" if stream else _text(message)
    if stream:
        return f"{_start(message)} {bar(detail, width)}"
    status = message.get("status", "")
    return f"{_ERASE}\r{_start(message)}{status} {bar(detail, width)}\r"


def _start(message: Message) -> str:
    start = f"{message['id']}: " if message.get("id") else ""
    return f"{start}(from {message['from']}) " if message.get("from") else start


def bar(detail: Message, width: int) -> str:
    """The progress: ``[=====>     ]  1.2MB/3.4MB``; narrow terminals have no bar."""
    current, total = int(detail.get("current") or 0), int(detail.get("total") or 0)
    if current <= 0 and total <= 0:
        return ""
    if total <= 0:
        return f"{human_size(current, 4):>8}"
    done = min(_CELLS, int(current / total * 100) // 2)
    box = f"[{'=' * done}>{' ' * (_CELLS - done)}] " if width > _WIDE else ""
    if current > total:
        return f"{box}{human_size(current, 4):>8}"
    return f"{box}{human_size(current, 4):>8}/{human_size(total, 4)}"
