"""The files in the layers of an image, local or pushed.

A layer is a tar file, gzipped or not. A file ``.wh.NAME`` takes NAME of the layers below away;
https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

WHITEOUT = ".wh."
EMPTY = hashlib.sha256(b"").hexdigest()
"""The digest of a file without a byte."""

Layer = Mapping[str, str]
"""Path, without a leading slash, to the sha256 of a file; "" for a folder, a link or a device."""


def read(stream: Any) -> dict[str, str]:
    """The files of one layer. Raises tarfile.ReadError for what is no tar file."""
    found = {}
    with tarfile.open(fileobj=stream) as archive:
        for entry in archive:
            name = entry.name.removeprefix("./").strip("/")
            content = archive.extractfile(entry) if entry.isreg() else None
            digest = hashlib.sha256()
            while content and (part := content.read(1024 * 1024)):
                digest.update(part)
            found[name] = digest.hexdigest() if content else ""
    return found


def visible(layers: Iterable[Layer]) -> dict[str, str]:
    """What a container sees: the layers laid over each other, the lowest first."""
    seen: dict[str, str] = {}
    for layer in layers:
        for path in layer:
            folder, _, name = path.rpartition("/")
            if name.startswith(WHITEOUT):
                gone = f"{folder}/{name.removeprefix(WHITEOUT)}".strip("/")
                if name == f"{WHITEOUT}{WHITEOUT}.opq":
                    gone = folder
                for old in [old for old in seen if old == gone or old.startswith(f"{gone}/")]:
                    del seen[old]
        seen |= {
            path: digest
            for path, digest in layer.items()
            if not path.rpartition("/")[2].startswith(WHITEOUT)
        }
    return seen


def sha256(file: Path) -> str:
    """The digest of a file of the learner's, as layers have it; "" where there is no such file."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def begins_with(layers: Sequence[str], base: Sequence[str]) -> bool:
    """Whether an image was built on another one, both as lists of the digests of their layers."""
    return bool(base) and list(layers[: len(base)]) == list(base) and len(layers) >= len(base)
