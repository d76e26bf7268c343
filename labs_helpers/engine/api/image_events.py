"""The events of images, which operations note when they have done their work.

What an event names is dockerd's choice: a pull and a push name the reference, all others the ID.
Source: https://github.com/moby/moby/tree/v28.2.2/daemon/images (LogImageEvent and its callers)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from labs_helpers.oci.reference import Reference

from ..events import IMAGE
from ..store import Image, NoSuchImage
from . import Backend

Message = dict[str, Any]


def note(backend: Backend, action: str, image: Image, name: str = "") -> None:
    """Note what was done to an image; ``name`` is a reference, where the action has one."""
    attributes = {**_labels(image), "name": name or image.id}
    backend.events.emit(IMAGE, action, image.id, attributes)


def note_deleted(
    backend: Backend, image: Image, records: Iterable[dict[str, str]], known: set[str]
) -> None:
    """Note what a removal of an image did, by its records; ``known`` are all IDs before it."""
    for record in records:
        if "Untagged" in record:
            note(backend, "untag", image)
        elif (gone := record["Deleted"]) in known:
            # the labels of a deleted image are gone, too
            backend.events.emit(IMAGE, "delete", gone, {"name": gone})


def note_pruned(backend: Backend, freed: int) -> None:
    """Note a prune of images, which has freed so many bytes."""
    backend.events.emit(IMAGE, "prune", "", {"reclaimed": str(freed)})


def noting_transfer(
    backend: Backend, action: str, reference: Reference, messages: Iterator[Message]
) -> Iterator[Message]:
    """The messages of a pull or push; its end is noted, when no error came before."""
    yield from messages
    note_transfer(backend, action, reference)


def note_transfer(backend: Backend, action: str, reference: Reference) -> None:
    """Note a finished pull or push of a reference."""
    attributes = {"name": reference.familiar_name}
    with contextlib.suppress(NoSuchImage):  # all tags of a repository have no labels in common
        attributes = {**_labels(backend.store.find(str(reference))), **attributes}
    backend.events.emit(IMAGE, action, reference.familiar, attributes)


def _labels(image: Image) -> dict[str, str]:
    return dict((image.config.get("config") or {}).get("Labels") or {})
