"""Images for the scanner's tests: layers made of a few lines, and the stand-ins of the hub."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.sandbox.hub import image as hub_image
from labs_helpers.sandbox.hub import recipe
from labs_helpers.sandbox.scanner.tree import Layer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

APK = "lib/apk/db/installed"
DPKG = "var/lib/dpkg/status"
ALPINE = "ID=alpine\nVERSION_ID=3.15.4\n"
DEBIAN = 'ID=debian\nVERSION_ID="12"\n'


@dataclass(frozen=True)
class Link:
    """A symbolic link, or a hard one."""

    target: str
    hard: bool = False


class Directory:
    """A directory entry."""


Content = str | bytes | Link | type[Directory]
Entries = dict[str, Content] | Sequence[tuple[str, Content]]


def apk(*packages: str) -> str:
    """A database of apk: ``name version`` or ``name version origin`` each."""
    records = []
    for package in packages:
        name, version, *origin = package.split()
        records.append(f"P:{name}\nV:{version}\nA:x86_64\no:{origin[0] if origin else name}\n\n")
    return "".join(records)


def dpkg(*packages: str) -> str:
    """A database of dpkg: ``name version`` or ``name version source`` each."""
    records = []
    for package in packages:
        name, version, *source = package.split(maxsplit=2)
        line = f"Source: {source[0]}\n" if source else ""
        records.append(
            f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n{line}"
            f"Version: {version}\nDescription: short\n a longer line\n\n"
        )
    return "".join(records)


def metadata(name: str, version: str) -> str:
    """A METADATA file."""
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nA long description.\n"


def tar(entries: Entries) -> bytes:
    """A layer's tar, entries in their order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in entries.items() if isinstance(entries, dict) else entries:
            member = tarfile.TarInfo(name)
            data = b""
            if isinstance(content, Link):
                member.type = tarfile.LNKTYPE if content.hard else tarfile.SYMTYPE
                member.linkname = content.target
            elif content is Directory:
                member.type = tarfile.DIRTYPE
            elif isinstance(content, (str, bytes)):
                data = content.encode() if isinstance(content, str) else content
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def store(folder: Path, packed: bytes) -> Layer:
    """A layer of these bytes, as the registry would hold it."""
    digest = hashlib.sha256(packed).hexdigest()
    path = folder / digest
    path.write_bytes(packed)
    return Layer(f"sha256:{digest}", path)


def layers(folder: Path, *contents: Entries, packing: str = "gzip") -> list[Layer]:
    """Layers of these entries, the lowest first."""
    pack = {"gzip": gzip.compress, "zstd": zstd.compress, "plain": bytes}[packing]
    return [store(folder, pack(tar(entries))) for entries in contents]


def stand_in(folder: Path, name: str) -> list[Layer]:
    """The layers of one of the hub's images, by the name of its recipe."""
    built = hub_image.build(recipe.load(name))
    index = json.loads(built.blobs[built.index])
    manifest = json.loads(built.blobs[index["manifests"][0]["digest"]])
    return [store(folder, built.blobs[layer["digest"]]) for layer in manifest["layers"]]
