"""``docker import``: a tar of a file system becomes an image of one layer.

Source: https://github.com/moby/moby/blob/v28.2.2/daemon/images/image_import.go and, for changes,
https://github.com/moby/moby/blob/v28.2.2/builder/dockerfile/builder.go (BuildFromConfig)
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import BadRequest
from ..platform import DEFAULT, Platform
from ..store import Image, ImageStore
from . import dockerfile, metadata, tar_reader
from .errors import BuildError
from .expansion import expand, expand_words
from .stage import CREATED_FIRST

_CHANGES = frozenset(
    [
        "CMD",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "LABEL",
        "ONBUILD",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)
_ESCAPE = "\\"


def import_archive(
    archive: BinaryIO,
    changes: Sequence[str],
    message: str,
    platform: Platform | None,
    store: ImageStore,
    scratch: Path,
) -> Image:
    """Add the image of an archive (a tar, plain or compressed) to the store, without a name.

    Its date is that of every image that the engine makes, so that its ID is the same everywhere.

    Args:
        changes: instructions of a Dockerfile that set the configuration, each a text of its own.

    Raises:
        BadRequest: the stream is not a tar, or a change is malformed or of another kind.
    """
    config = _configuration(changes)
    tar = tar_reader.read_archive(archive, scratch)
    layer = store.write_layer(tar)
    wanted = platform or DEFAULT
    document: dict[str, Any] = {
        "architecture": wanted.architecture,
        "os": wanted.os,
        "created": CREATED_FIRST,
        "comment": message,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
        "history": [{"created": CREATED_FIRST, "comment": message}],
    }
    if wanted.variant:
        document["variant"] = wanted.variant
    return store.add_image(document, [layer])


def _configuration(changes: Sequence[str]) -> metadata.Config:
    config: metadata.Config = {}
    for text in changes:
        try:
            _change(config, text)
        except BuildError as error:
            raise BadRequest(str(error)) from error
    return config


def _change(config: metadata.Config, text: str) -> None:
    word = text.split(maxsplit=1)[0].upper() if text.strip() else ""
    if word not in _CHANGES:
        raise BadRequest(f"{word} is not a valid change command")
    step = dockerfile.read_trigger(text)
    variables = dict(pair.partition("=")[::2] for pair in config.get("Env") or [])
    expanded = partial(expand, variables=variables, escape=_ESCAPE, line=step.line)
    words = partial(expand_words, variables=variables, escape=_ESCAPE, line=step.line)
    if step.name == "WORKDIR":
        metadata.workdir(config, step, expanded)
        config["WorkingDir"] = posixpath.normpath(config["WorkingDir"])
    else:
        metadata.configure(config, step, expanded, words, command_set=True)
