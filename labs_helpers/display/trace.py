"""The requests a registry has answered, one a line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.display.shown import Shown, table

_HEX = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_UPLOAD = re.compile(r"(/blobs/uploads/)[0-9A-Za-z_.=-]+")


def trace(requests: Sequence[Mapping[str, Any]]) -> Shown:
    """Draw requests with the keys ``method``, ``path`` and ``status``.

    Digests are cut to twelve figures and upload ids, which are random, to ``<upload>``.
    """
    if not requests:
        return Shown("no request yet", "<p>no request yet</p>")
    body = [
        (str(number), str(seen["method"]), readable(str(seen["path"])), str(seen["status"]))
        for number, seen in enumerate(requests, 1)
    ]
    return table(("", "method", "path", "answer"), body, right=(0, 3))


def readable(path: str) -> str:
    """A registry path without what is long or differs from run to run."""
    plain = path.split("?", 1)[0]
    asked = "?" + path.split("?", 1)[1] if "?" in path else ""
    asked = re.sub(r"_state=[^&]*&?", "", asked).rstrip("?&")
    return _HEX.sub(r"\1", _UPLOAD.sub(r"\1<upload>", plain) + asked.replace("%3A", ":"))
