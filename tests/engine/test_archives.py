"""docker save and load: several images, in both layouts, layers once."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.engine.errors import BadRequest
from labs_helpers.engine.load import load
from labs_helpers.engine.save import save
from labs_helpers.engine.store import ImageStore
from tests.engine.build.building import Builder

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[ImageStore, ImageStore]]:
    """Two images on one base layer, one of them with two names; and an empty store."""
    full, empty = ImageStore(tmp_path / "full"), ImageStore(tmp_path / "empty")
    builder = Builder(full, tmp_path)
    base = "FROM scratch\nCOPY f /\n"
    builder.build(base, {"f": "shared"}, tags=["one:1", "one:2"])
    builder.build(f"{base}COPY g /\n", {"f": "shared", "g": "own"}, tags=["r.example/two:1"])
    yield full, empty
    full.close()
    empty.close()


def rewritten(archive: bytes, without: set[str], **changed: bytes) -> io.BytesIO:
    """The same archive without some members, and with other content in others."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as old,
        tarfile.open(fileobj=out, mode="w") as new,
    ):
        for member in old:
            if member.name in without:
                continue
            content = old.extractfile(member)
            data = changed.get(member.name, content.read() if content else b"")
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    out.seek(0)
    return out


@pytest.mark.parametrize(
    "without",
    [set(), {"manifest.json", "repositories"}, {"index.json", "oci-layout"}],
    ids=["both", "OCI layout", "docker archive"],
)
def test_several_images_come_back_with_their_names(
    stores: tuple[ImageStore, ImageStore], tmp_path: Path, without: set[str]
) -> None:
    full, empty = stores
    archive = b"".join(save(["one", "r.example/two:1"], full))
    said = list(load(rewritten(archive, without), empty, tmp_path))
    names = ["one:1", "one:2", "r.example/two:1"]
    lines = [message["stream"] for message in said if "stream" in message]
    assert lines == [f"Loaded image: {name}\n" for name in names]
    for name in names:
        ours, theirs = full.find(name), empty.find(name)
        assert (ours.id, ours.layers) == (theirs.id, theirs.layers)
    # three uses, two layers
    assert len(list(empty.blobs.digests())) == 2
    bars = [message for message in said if message.get("status") == "Loading layer"]
    assert all(bar["progressDetail"]["current"] > 0 for bar in bars)
    assert bars


def test_an_archive_may_be_packed_with_zstd(
    stores: tuple[ImageStore, ImageStore], tmp_path: Path
) -> None:
    full, empty = stores
    packed = zstd.compress(b"".join(save(["one:1"], full)))
    list(load(io.BytesIO(packed), empty, tmp_path))
    assert empty.find("one:1").id == full.find("one:1").id
    with pytest.raises(BadRequest, match="invalid archive: "):
        list(load(io.BytesIO(packed[:-9]), empty, tmp_path))


def test_what_is_saved_twice_is_the_same(stores: tuple[ImageStore, ImageStore]) -> None:
    full, _ = stores
    assert b"".join(save(["one"], full)) == b"".join(save(["one"], full))


def test_a_layer_that_is_not_what_it_says_is_refused(
    stores: tuple[ImageStore, ImageStore], tmp_path: Path
) -> None:
    full, empty = stores
    archive = b"".join(save(["one:1"], full))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        content = tar.extractfile("manifest.json")
        assert content
        (layer,) = json.loads(content.read())[0]["Layers"]
    for without in (set(), {"manifest.json", "repositories"}):
        broken = rewritten(archive, without, **{layer: b"other content"})
        with pytest.raises(BadRequest, match="invalid archive"):
            list(load(broken, empty, tmp_path))
        assert empty.list() == []
