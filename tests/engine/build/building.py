"""What the builder's tests share: contexts made of text, and builds of them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs_helpers.engine.build import BuildOptions, build
from labs_helpers.engine.store import Image, ImageStore, NoSuchImage

Member = tarfile.TarInfo


def archive(files: Mapping[str, str | bytes | Member], mtime: int = 1_700_000_000) -> io.BytesIO:
    """A tar of these files, in the order given; a TarInfo is a member without content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            if isinstance(content, Member):
                tar.addfile(content)
                continue
            data = content.encode() if isinstance(content, str) else content
            member = Member(name)
            member.size, member.mtime, member.mode = len(data), mtime, 0o644
            tar.addfile(member, io.BytesIO(data))
    out.seek(0)
    return out


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Member:
    """A symbolic (or hard) link."""
    member = Member(name)
    member.type, member.linkname = kind, target
    return member


@dataclass
class Builder:
    """Builds Dockerfiles into one store; ``said`` is what the last build printed."""

    store: ImageStore
    scratch: Path
    said: str = ""
    pulled: tuple[str, ...] = ()

    def build(
        self,
        dockerfile: str,
        files: Mapping[str, str | bytes | Member] | None = None,
        **options: Any,
    ) -> Image:
        """Build; return the image. Raises what the builder raises."""
        context = archive({"Dockerfile": dockerfile, **(files or {})})
        return self.build_tar(context, **options)

    def build_tar(self, context: io.BytesIO, **options: Any) -> Image:
        """Build a context that is a tar already."""
        self.said, identity = "", ""
        asked = BuildOptions(scratch=self.scratch, **options)
        for message in build(context, asked, self.store, self._pull):
            self.said += message.get("stream", "")
            identity = message.get("aux", {}).get("ID", identity)
        return self.store.find(identity or self.said.strip())

    def _pull(self, name: str, platform: str) -> Image:
        self.pulled = (*self.pulled, name)
        raise NoSuchImage(name)

    def files(self, image: Image, layer: int | None = None) -> dict[str, Member]:
        """The members of an image's layers (or of one of them), later ones replacing earlier."""
        layers = image.layers if layer is None else (image.layers[layer],)
        found = {}
        for each in layers:
            with tarfile.open(fileobj=self.store.open_layer(each), mode="r|") as tar:
                found.update({member.name: member for member in tar})
        return found

    def read(self, image: Image, path: str) -> bytes:
        """The content of a file of the topmost layer that has it."""
        for each in reversed(image.layers):
            with tarfile.open(fileobj=self.store.open_layer(each), mode="r|") as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.name == path else None
                    if content:
                        return content.read()
        raise KeyError(path)
