"""What a daemon hands out, in every form that daemons have had, and what is none of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_helpers.engine.errors import EngineError
from labs_helpers.engine.front.archives import archive
from labs_helpers.engine.front.exports import Export
from labs_helpers.engine.store import ImageStore
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.oci.reference import parse


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def tar(members: dict[str, bytes | str]) -> bytes:
    """A tar of files, and of symbolic links where the content is a str."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as written:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                written.addfile(entry)
                continue
            entry.size = len(content)
            written.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


ONE, TWO = tar({"a": b"1" * 9000}), tar({"b": b"2"})
CONFIG = json.dumps(
    {"os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(ONE), digest(TWO)]}}
).encode()


def listed(config: str, *layers: str) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": ["a:1"], "Layers": layers}]).encode()


FORMS = {
    "Docker 20": {
        "x/json": b"{}",
        "x/layer.tar": ONE,
        "y/layer.tar": TWO,
        "c.json": CONFIG,
        "manifest.json": listed("c.json", "x/layer.tar", "y/layer.tar"),
    },
    "Docker 25": {
        f"blobs/sha256/{digest(TWO)[7:]}": TWO,
        f"blobs/sha256/{digest(CONFIG)[7:]}": CONFIG,
        f"blobs/sha256/{digest(ONE)[7:]}": ONE,
        "index.json": b"{}",
        "manifest.json": listed(f"blobs/sha256/{digest(CONFIG)[7:]}", "whatever"),
        "oci-layout": b"{}",
    },
    "containerd's store": {
        "blobs/sha256/1": gzip.compress(ONE),
        "blobs/sha256/2": gzip.compress(TWO),
        "blobs/sha256/3": CONFIG,
        "manifest.json": listed("blobs/sha256/3"),
    },
    "Podman 4": {
        f"{digest(ONE)[7:]}.tar": ONE,
        "x/layer.tar": f"../{digest(ONE)[7:]}.tar",
        f"{digest(TWO)[7:]}.tar": TWO,
        "c.json": CONFIG,
        "manifest.json": listed("c.json"),
    },
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("new", [set(), {digest(ONE), digest(TWO)}])
def test_every_form_gives_configuration_and_layers(
    form: str, new: set[str], tmp_path: Path
) -> None:
    with Export(tmp_path, new) as export:
        export.receive(io.BytesIO(tar(FORMS[form])), [digest(ONE), digest(TWO)])
        assert export.config() == CONFIG
        for content in (ONE, TWO):
            layer = export.layer(digest(content))
            blob = export.blobs.path(layer.digest).read_bytes()
            assert gzip.decompress(blob) == content
            assert (digest(blob), len(blob)) == (layer.digest, layer.size)


def test_layers_that_are_not_wanted_are_not_kept(tmp_path: Path) -> None:
    with Export(tmp_path) as export:
        export.receive(io.BytesIO(tar(FORMS["Docker 20"])), [digest(TWO)])
        assert export.layer(digest(TWO))
        with pytest.raises(EngineError, match="lacks the layer sha256:"):
            export.layer(digest(ONE))
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a tar",
        tar(FORMS["Docker 20"])[:3000],
        tar({"manifest.json": b"[]"}),
        tar({"manifest.json": b'[{"Config": "none"}]'}),
        tar({"manifest.json": b"{"}),
    ],
)
def test_what_is_no_archive_is_one_kind_of_error(data: bytes, tmp_path: Path) -> None:
    def read(export: Export) -> None:
        export.receive(io.BytesIO(data), None)
        export.config()

    with Export(tmp_path) as export, pytest.raises(EngineError, match="the daemon's archive"):
        read(export)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.binary(max_size=2000), at=st.integers(0, 5000))
def test_a_damaged_archive_raises_nothing_else(data: bytes, at: int, tmp_path: Path) -> None:
    whole = tar(FORMS["containerd's store"])
    with Export(tmp_path) as export:
        try:
            export.receive(io.BytesIO(whole[:at] + data + whole[at + len(data) :]), None)
            export.config()
        except EngineError:
            return


def test_our_own_archives_are_read_again(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store", durable=False)
    layers = [store.receive_layer(io.BytesIO(gzip.compress(one))) for one in (ONE, TWO)]
    image = store.add_image(CONFIG, layers)
    body = json.dumps(
        {
            "schemaVersion": 2,
            "config": {"mediaType": media_types.OCI_CONFIG, "digest": image.id, "size": 1},
            "layers": [
                {"mediaType": media_types.OCI_LAYER_GZIP, "digest": one.digest, "size": one.size}
                for one in layers
            ],
        }
    ).encode()
    manifest = manifests.parse(body, media_types.OCI_MANIFEST)
    written = b"".join(archive(image, manifest, parse("a:1"), store))
    with tarfile.open(fileobj=io.BytesIO(written)) as tar_:
        assert f"blobs/sha256/{manifest.digest[7:]}" in tar_.getnames()
    (tmp_path / "export").mkdir()
    with Export(tmp_path / "export") as export:
        export.receive(io.BytesIO(written), None)
        assert export.config() == CONFIG
        assert export.layer(digest(ONE)).digest == layers[0].digest
    store.close()
