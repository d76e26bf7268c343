"""Podman's reports of a push or pull, from Docker's messages: a line of text for each step.

Sources: https://github.com/containers/podman/blob/v5.4.2/pkg/domain/entities/types/images.go
(ImagePullReport, ImagePushStream), and for the text
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
    """Reports of a push, of the digest too where the client takes it. Raises as ``messages`` do."""
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
    """Reports of a pull; the tags, or the digest, go into ``tags`` as they come.

    Raises as ``messages`` do.
    """
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
    """One line a layer, when it is clear what becomes of it."""
    if status in ("Pushing", "Pushed", "Downloading", "Download complete"):
        how = ""
    elif status in ("Already exists", "Layer already exists"):
        how = " skipped: already exists"
    elif status.startswith("Mounted from "):
        how = f" skipped: m{status[1:]}"
    else:
        return
    if layer not in copied:
        copied.add(layer)
        yield {"stream": f"Copying blob {layer}{how}\n"}


def pulled(images: Sequence[str]) -> Report:
    """The last report of a pull: the IDs of at least one image."""
    bare = [image.removeprefix("sha256:") for image in images]
    return {"images": bare, "id": bare[-1]}


def reported(reports: Iterator[Report]) -> Response:
    """Podman's stream: a JSON object a line.

    What fails before the first is raised, and so becomes a status; later it can only be told.
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
