"""One stage of a build: the image so far, and the commit of each instruction."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ..image_config import encode_config
from ..platform import DEFAULT, Platform
from ..store import Image, ImageStore
from . import cache, tar_reader
from .errors import BuildError
from .layer import Changes, layer_tar
from .metadata import current_shell
from .options import BuildOptions
from .run.rootfs import RootFolder
from .tree import Entry, Tree

Message = dict[str, Any]


def _date(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


CREATED_FIRST = _date(0)
"""The date of an image whose client names no other (SOURCE_DATE_EPOCH)."""

MOST_CONFIG = 6 << 20
"""Bytes of an image's configuration. Linux starts no program whose variables and arguments have
more than 6 MiB (https://man7.org/linux/man-pages/man2/execve.2.html); no source limits labels and
history, which get the same limit because each step writes them again.
"""

DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class StageState:
    """The state of a stage (in dockerd "dispatch state"); ``image`` is None before a commit."""

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
        self._sources: list[Image] | None = None

    def close(self) -> None:
        """Remove the stage's folder; the files of its image can be read again."""
        if self._folder:
            self._folder.close()
            self._folder = self._tree = None

    def root(self) -> Tree:
        """The files of the image so far."""
        if self._tree is None:
            self._tree = image_root(self.store, self.image, self.options)
        return self._tree

    def folder(self) -> RootFolder:
        """The files of the image so far in a folder, in which commands run."""
        if self._folder is None:
            self._folder = RootFolder(self.root(), self.options.scratch, self.epoch)
        return self._folder

    def commit(self, comment: str, shell: list[str] | None = None) -> Iterator[Message]:
        """Commit a changed configuration as the next image."""
        history = self._history(f"{self._prefix(shell)} {comment}")
        cached = self._find_cached(history)
        if cached:
            yield from self.use(cached)
        else:
            yield from self._continue_with(self._add({**history, "empty_layer": True}, None))

    def find_layer(self, comment: str) -> Image | None:
        """The cached image of the same change with the same files, if any."""
        return self.find(f"{self._prefix()}{comment}")

    def find(self, created_by: str) -> Image | None:
        """The cached image of a change with this history text, if any."""
        return self._find_cached(self._history(created_by))

    def use(self, image: Image) -> Iterator[Message]:
        """Continue with an image from the cache."""
        if self.image is None or image.layers != self.image.layers:
            self.close()
            self._tree = None
        yield {"stream": " ---> Using cache\n"}
        yield from self._continue_with(image)

    def commit_layer(self, comment: str, entries: Mapping[str, Entry]) -> Iterator[Message]:
        """Commit new files (path without leading slash -> entry) as the next image."""
        changes = Changes(entries)
        image = self._add_changes(self._history(f"{self._prefix()}{comment}"), changes)
        self._apply(changes)
        if self._folder:
            self._folder.put(dict(entries))
        yield from self._continue_with(image)

    def commit_run(self, created_by: str, changes: Changes) -> Iterator[Message]:
        """Commit the changes of a command in ``folder()`` as the next image."""
        image = self._add_changes(self._history(created_by), changes)
        self._apply(changes)
        yield from self._continue_with(image)

    def _add_changes(self, history: dict[str, Any], changes: Changes) -> Image:
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
            # all files in the layer have the same date
            tree.put(path, replace(changes.entries[path], mtime=self.epoch))

    def _prefix(self, shell: list[str] | None = None) -> str:
        return f"{' '.join(shell or current_shell(self.config))} #(nop) "

    def _history(self, created_by: str) -> dict[str, Any]:
        history = {"created": self.created, "created_by": created_by}
        return {**history, "author": self.author} if self.author else history

    @property
    def created(self) -> str:
        """The creation date of every image of this build."""
        return _date(self.epoch)

    def _find_cached(self, history: Mapping[str, Any]) -> Image | None:
        if self.options.no_cache:
            return None
        step = cache.Step(self.image, self.config, history, self._platform())
        if not self.options.cache_from:
            return cache.find_local(self.store, step)
        if self._sources is None:
            self._sources = cache.sources(self.store, self.options.cache_from)
        return cache.find_from(self.store, step, self._sources)

    def _past(self) -> list[dict[str, Any]]:
        return list(self.image.config.get("history") or []) if self.image else []

    def _platform(self) -> dict[str, str]:
        if self.image:
            keys = ("architecture", "os", "variant")
            return {key: self.image.config[key] for key in keys if self.image.config.get(key)}
        requested = self.options.platform
        platform = Platform.parse(requested) if requested else DEFAULT
        names = {"os": platform.os, "architecture": platform.architecture}
        return {**names, "variant": platform.variant} if platform.variant else names

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
        size = len(encode_config(config))
        if size > MOST_CONFIG:
            raise BuildError(
                f"The configuration of the image would have {size} bytes, with ENV, LABEL and the"
                f" history of all steps; {MOST_CONFIG} are allowed. Use shorter or fewer values"
            )
        parent = self.image.id if self.image else None
        return self.store.add_image(config, layers, parent=parent)

    def _continue_with(self, image: Image) -> Iterator[Message]:
        self.image = image
        # the next instruction changes a copy of its own
        self.config = copy.deepcopy(self.config)
        yield self.image_message()

    def image_message(self) -> Message:
        """The message after each step: the ID of the image so far."""
        return {"stream": f" ---> {self.image.short_id if self.image else ''}\n"}


def image_root(store: ImageStore, image: Image | None, options: BuildOptions) -> Tree:
    """The files of an image."""
    layers = image.layers if image else ()
    return tar_reader.read_layers(
        [partial(store.open_layer, layer) for layer in layers], options.scratch
    )
