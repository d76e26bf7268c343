"""The cache of a build: an image that an earlier build made by the same step.

With --cache-from, only the images that it names count, and the images that they were built from.
Source: https://github.com/moby/moby/blob/v28.2.2/daemon/internal/image/cache/cache.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs_helpers.oci.reference import InvalidReference

from ..store import Image, ImageStore, NoSuchImage


@dataclass(frozen=True)
class Step:
    """What an instruction makes of ``parent``: the configuration, and one entry of the history.

    ``platform`` has the keys "os", "architecture" and, if any, "variant".
    """

    parent: Image | None
    config: Mapping[str, Any]
    history: Mapping[str, Any]
    platform: Mapping[str, str]

    @property
    def past(self) -> list[dict[str, Any]]:
        """The history of the parent."""
        return _history(self.parent) if self.parent else []


def find_local(store: ImageStore, step: Step) -> Image | None:
    """The child of the parent with the same configuration and history entry, if any."""
    if step.parent:
        candidates = list(store.children(step.parent.id))
    else:
        candidates = [image for image in store.list() if image.parent is None]
    wanted = {**step.history, "empty_layer": None}
    for image in candidates:
        history = _history(image)
        if (
            len(history) == len(step.past) + 1
            and {**history[-1], "empty_layer": None} == wanted
            and image.config.get("config") == step.config
            and all(image.config.get(key) == value for key, value in step.platform.items())
        ):
            return image
    return None


def sources(store: ImageStore, names: Sequence[str]) -> list[Image]:
    """The images of --cache-from that the store has; as in dockerd, the others are left out."""
    found = []
    for name in names:
        try:
            found.append(store.find(name))
        except (NoSuchImage, InvalidReference):
            continue
    return found


def find_from(store: ImageStore, step: Step, sources: list[Image]) -> Image | None:
    """The image of a step according to the sources, if any.

    A source that was pulled has no images of its steps. The image of a step is then made of the
    source's layers and history, and ``sources`` becomes this one source.
    """
    local = find_local(store, step)
    if local and any(local.id in _ancestors(store, source) for source in sources):
        return local
    for source in sources:
        history, place = _history(source), len(step.past)
        if len(history) <= place or not _begins_with(source, step.parent):
            continue
        if history[place].get("created_by") != step.history["created_by"]:
            continue
        if len(history) == place + 1:
            return source
        image = _restore(store, step, source)
        sources[:] = [source]
        return image
    return None


def _history(image: Image) -> list[dict[str, Any]]:
    return list(image.config.get("history") or [])


def _ancestors(store: ImageStore, image: Image) -> set[str]:
    found: set[str] = set()
    parent = image.parent
    while parent:
        found.add(parent)
        try:
            parent = store.find(parent).parent
        except NoSuchImage:
            break
    return found


def _begins_with(image: Image, parent: Image | None) -> bool:
    if parent is None:
        return True
    layers = [layer.diff_id for layer in parent.layers]
    history = _history(parent)
    return (
        _history(image)[: len(history)] == history
        and [layer.diff_id for layer in image.layers[: len(layers)]] == layers
    )


def _restore(store: ImageStore, step: Step, source: Image) -> Image:
    entry = _history(source)[len(step.past)]
    layers = list(step.parent.layers) if step.parent else []
    if not entry.get("empty_layer"):
        layers.append(source.layers[len(layers)])
    config: dict[str, Any] = {
        **step.platform,
        "created": entry.get("created"),
        "config": dict(step.config),
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [*step.past, entry],
    }
    if source.config.get("author"):
        config["author"] = source.config["author"]
    return store.add_image(config, layers, parent=step.parent.id if step.parent else None)
