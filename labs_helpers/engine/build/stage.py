"""One stage of a build: the image so far, and how an instruction makes the next one of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ..platform import DEFAULT, Platform
from ..store import Image, ImageStore
from . import tar_reader
from .layer import Changes, layer_tar
from .metadata import current_shell
from .options import BuildOptions
from .run.rootfs import RootFolder
from .tree import Entry, Tree

Message = dict[str, Any]

DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class StageState:
    """What dockerd calls the dispatch state; ``image`` is None until something is committed."""

    def __init__(
        self, store: ImageStore, options: BuildOptions, epoch: int, base: Image | None
    ) -> None:
        self.store, self.options, self.epoch = store, options, epoch
        self.image = base
        self.command_set = False
        self.author = str(base.config.get("author") or "") if base else ""
        self.config: dict[str, Any] = {"Env": [DEFAULT_PATH]}
        if base:
            found = copy.deepcopy(base.config.get("config") or {})
            self.config = {key: value for key, value in found.items() if value is not None}
        self._tree: Tree | None = None
        self._folder: RootFolder | None = None

    def close(self) -> None:
        """Remove what the stage has on disk; the files of its image are read anew if needed."""
        if self._folder:
            self._folder.close()
            self._folder = self._tree = None

    def root(self) -> Tree:
        """The files of the image so far."""
        if self._tree is None:
            self._tree = image_root(self.store, self.image, self.options)
        return self._tree

    def folder(self) -> RootFolder:
        """The same files on disk, for commands to run in."""
        if self._folder is None:
            self._folder = RootFolder(self.root(), self.options.scratch, self.epoch)
        return self._folder

    def commit(self, comment: str, shell: list[str] | None = None) -> Iterator[Message]:
        """Make the next image of a changed configuration."""
        history = self._history(f"{self._prefix(shell)} {comment}")
        cached = self._cached(history)
        if cached:
            yield from self.use(cached)
        else:
            yield from self._arrived(self._add({**history, "empty_layer": True}, None))

    def find_layer(self, comment: str) -> Image | None:
        """The image that the same change of the same files made before, if it is still here."""
        return self.find(f"{self._prefix()}{comment}")

    def find(self, created_by: str) -> Image | None:
        """As ``find_layer``, for a change whose history has these words."""
        return self._cached(self._history(created_by))

    def use(self, image: Image) -> Iterator[Message]:
        """Go on with an image of the cache."""
        if self.image is None or image.layers != self.image.layers:
            self.close()
            self._tree = None
        yield {"stream": " ---> Using cache\n"}
        yield from self._arrived(image)

    def commit_layer(self, comment: str, entries: Mapping[str, Entry]) -> Iterator[Message]:
        """Make the next image of new files (path without leading slash -> entry)."""
        changes = Changes(entries)
        made = self._layered(self._history(f"{self._prefix()}{comment}"), changes)
        self._apply(changes)
        if self._folder:
            self._folder.put(dict(entries))
        yield from self._arrived(made)

    def commit_run(self, created_by: str, changes: Changes) -> Iterator[Message]:
        """Make the next image of what a command changed in ``folder()``."""
        made = self._layered(self._history(created_by), changes)
        self._apply(changes)
        yield from self._arrived(made)

    def _layered(self, history: dict[str, Any], changes: Changes) -> Image:
        if changes:
            return self._add(history, changes)
        return self._add({**history, "empty_layer": True}, None)

    def _apply(self, changes: Changes) -> None:
        if not changes:
            return
        tree = self.root()
        for path in changes.removed:
            tree.remove(path)
        for path in sorted(changes.entries, key=lambda name: name.split("/")):
            # the layer has one date, and so it is when it is read again
            tree.put(path, replace(changes.entries[path], mtime=self.epoch))

    def _prefix(self, shell: list[str] | None = None) -> str:
        return f"{' '.join(shell or current_shell(self.config))} #(nop) "

    def _history(self, created_by: str) -> dict[str, Any]:
        history = {"created": self.created, "created_by": created_by}
        return {**history, "author": self.author} if self.author else history

    @property
    def created(self) -> str:
        """When every image of this build says that it was made."""
        return datetime.fromtimestamp(self.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _cached(self, history: Mapping[str, Any]) -> Image | None:
        """The child of this image with this configuration and change."""
        if self.options.no_cache:
            return None
        parent = self.image.id if self.image else None
        if parent:
            candidates = list(self.store.children(parent))
        else:
            candidates = [image for image in self.store.list() if image.parent is None]
        depth = len(self._past()) + 1
        for image in candidates:
            past = image.config.get("history") or []
            same = len(past) == depth and {**past[-1], "empty_layer": None} == {
                **history,
                "empty_layer": None,
            }
            if same and image.config.get("config") == self.config and self._same_kind(image):
                return image
        return None

    def _same_kind(self, image: Image) -> bool:
        wanted = self._platform()
        return all(image.config.get(key) == value for key, value in wanted.items())

    def _past(self) -> list[dict[str, Any]]:
        return list(self.image.config.get("history") or []) if self.image else []

    def _platform(self) -> dict[str, str]:
        if self.image:
            keys = ("architecture", "os", "variant")
            return {key: self.image.config[key] for key in keys if self.image.config.get(key)}
        asked = self.options.platform
        wanted = Platform.parse(asked) if asked else DEFAULT
        described = {"os": wanted.os, "architecture": wanted.architecture}
        return {**described, "variant": wanted.variant} if wanted.variant else described

    def _add(self, history: dict[str, Any], changes: Changes | None) -> Image:
        layers = list(self.image.layers) if self.image else []
        if changes is not None:
            with layer_tar(changes.members(), self.epoch) as tar:
                layers.append(self.store.write_layer(tar))
        config: dict[str, Any] = {
            **self._platform(),
            "created": self.created,
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": [*self._past(), history],
        }
        if self.author:
            config["author"] = self.author
        parent = self.image.id if self.image else None
        return self.store.add_image(config, layers, parent=parent)

    def _arrived(self, image: Image) -> Iterator[Message]:
        self.image = image
        # the next instruction changes its own copy
        self.config = copy.deepcopy(self.config)
        yield self.arrival()

    def arrival(self) -> Message:
        """What is said after each step: the image so far."""
        return {"stream": f" ---> {self.image.short_id if self.image else ''}\n"}


def image_root(store: ImageStore, image: Image | None, options: BuildOptions) -> Tree:
    """The files of an image."""
    layers = image.layers if image else ()
    return tar_reader.read_layers(
        [partial(store.open_layer, layer) for layer in layers], options.scratch
    )
