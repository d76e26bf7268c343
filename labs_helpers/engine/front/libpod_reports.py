"""Turn Docker's progress messages of a push or pull into Podman's reports: one line a step.

Sources: https://github.com/containers/podman/blob/v5.4.2/pkg/domain/entities/types/images.go
(ImagePullReport, ImagePushStream), and for the texts
https://github.com/containers/podman/tree/v4.3.1/vendor/github.com/containers/image/v5/copy
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from labs_helpers.oci.reference import Reference

from ..api.http import Response, error_text
from ..api.transfer import STREAM_ERRORS
from ..parallel import Message

Report = dict[str, Any]

_PUSHED = re.compile(r".+: digest: (sha256:[0-9a-f]{64}) size: \d+")


def push_reports(messages: Iterator[Message], with_digest: bool) -> Iterator[Report]:
    """Yield the reports of a push; ``with_digest`` adds the manifest's digest as the last one."""
    copied: set[str] = set()
    for message in messages:
        status, layer = str(message.get("status") or ""), str(message.get("id") or "")
        if status.startswith("The push refers to"):
            yield {"stream": "Getting image source signatures\n"}
        elif done := _PUSHED.fullmatch(status):
            yield {"stream": "Writing manifest to image destination\n"}
            if with_digest:
                yield {"manifestdigest": done[1]}
        elif layer:
            yield from _layer_reports(status, layer, copied)


def pull_reports(
    wanted: Reference, messages: Iterator[Message], tags: list[str]
) -> Iterator[Report]:
    """Yield the reports of a pull; append each tag, or the digest, to ``tags``."""
    copied: set[str] = set()
    for message in messages:
        status, layer = str(message.get("status") or ""), str(message.get("id") or "")
        if status.startswith("Pulling from "):
            tags.append(layer)
            name = f"{wanted.name}{'@' if ':' in layer else ':'}{layer}"
            yield {"stream": f"Trying to pull {name}...\nGetting image source signatures\n"}
        elif status.startswith("Digest: "):
            yield {"stream": "Writing manifest to image destination\n"}
        elif layer:
            yield from _layer_reports(status, layer, copied)


def _layer_reports(status: str, layer: str, copied: set[str]) -> Iterator[Report]:
    """Yield one line for each layer, with the first message that says what happens to it."""
    if status in ("Pushing", "Pushed", "Downloading", "Download complete"):
        result = ""
    elif status in ("Already exists", "Layer already exists"):
        result = " skipped: already exists"
    elif status.startswith("Mounted from "):
        result = f" skipped: mounted from {status.removeprefix('Mounted from ')}"
    else:
        return
    if layer not in copied:
        copied.add(layer)
        yield {"stream": f"Copying blob {layer}{result}\n"}


def final_report(images: Sequence[str]) -> Report:
    """Return the last report of a pull, with the IDs of at least one image."""
    bare = [image.removeprefix("sha256:") for image in images]
    return {"images": bare, "id": bare[-1]}


def report_stream(reports: Iterator[Report]) -> Response:
    """Answer with Podman's stream: a JSON object a line.

    An error before the first report is raised, and becomes a status. A later error goes into the
    stream.
    """
    begun = list(islice(reports, 1))

    def lines() -> Iterator[bytes]:
        try:
            for report in chain(begun, reports):
                yield _line(report)
        except STREAM_ERRORS as error:
            yield _line({"error": error_text(error)})

    return Response(200, lines())


def _line(report: Report) -> bytes:
    return json.dumps(report, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
