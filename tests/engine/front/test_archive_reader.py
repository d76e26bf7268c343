"""The reader understands the archives of every daemon, and refuses what is no archive."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_helpers.engine.errors import EngineError
from labs_helpers.engine.front.archive_reader import ArchiveReader
from labs_helpers.engine.front.archive_writer import image_archive
from labs_helpers.engine.front.pushing import index_messages
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.oci.reference import parse


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def tar(members: dict[str, bytes | str]) -> bytes:
    """Return a tar of files, and of a symbolic link for each content that is a str."""
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


ONE, TWO = tar({"[a].js": b"1" * 9000}), tar({"{b}": b"2"})
CONFIG = json.dumps(
    {"os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(ONE), digest(TWO)]}}
).encode()


def listed(config: str, *layers: str) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": ["a:1"], "Layers": layers}]).encode()


def blob(content: bytes) -> str:
    return f"blobs/sha256/{digest(content)[7:]}"


def described(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def manifest_of(config: bytes, *layers: bytes, kind: str = media_types.OCI_LAYER_GZIP) -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": described(config, media_types.OCI_CONFIG),
            "layers": [described(layer, kind) for layer in layers],
        }
    ).encode()


def index_of(*entries: bytes, kind: str = media_types.OCI_MANIFEST) -> bytes:
    found = [described(entry, kind) for entry in entries]
    return json.dumps(
        {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": found}
    ).encode()


PACKED = [gzip.compress(one, mtime=0) for one in (ONE, TWO)]
IMAGE = manifest_of(CONFIG, *PACKED)
PLAIN = manifest_of(CONFIG, ONE, TWO, kind=media_types.OCI_LAYER)
STATEMENT = json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "large": "x" * 5_000_000})
ATTESTED = [b"{}", STATEMENT.encode()]
ATTESTATION = manifest_of(ATTESTED[0], ATTESTED[1], kind="application/vnd.in-toto+json")


def in_store(*manifests: bytes, without: bytes = b"") -> dict[str, bytes | str]:
    """Return the files that Docker with containerd's store exports for one or more manifests."""
    parts = [CONFIG, *PACKED, *manifests, *(ATTESTED if ATTESTATION in manifests else ())]
    index = index_of(*manifests)
    named = index_of(manifests[0])
    if len(manifests) > 1:
        parts.append(index)
        named = index_of(index, kind=media_types.OCI_INDEX)
    return {
        **{blob(part): part for part in parts if part != without},
        "index.json": named,
        "manifest.json": listed(blob(CONFIG)),
    }


FORMS = {
    "Docker 20": {
        "x/json": b"{}",
        "x/layer.tar": ONE,
        "y/layer.tar": TWO,
        "c.json": CONFIG,
        "manifest.json": listed("c.json", "x/layer.tar", "y/layer.tar"),
    },
    "Docker 25": {
        **{blob(part): part for part in (TWO, CONFIG, PLAIN, ONE)},
        "index.json": index_of(PLAIN),
        "manifest.json": listed(blob(CONFIG), "whatever"),
        "oci-layout": b"{}",
    },
    "containerd's store": in_store(IMAGE),
    "containerd's store, with attestations": in_store(IMAGE, ATTESTATION),
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
    with ArchiveReader(tmp_path, [digest(ONE), digest(TWO)], new) as export:
        export.start(nullcontext(io.BytesIO(tar(FORMS[form]))))
        assert export.config() == CONFIG
        for content in (ONE, TWO):
            layer = export.layer(digest(content))
            blob = export.blobs.path(layer.digest).read_bytes()
            assert gzip.decompress(blob) == content
            assert (digest(blob), len(blob)) == (layer.digest, layer.size)


@pytest.mark.parametrize("new", [set(), {digest(TWO)}])
def test_layers_that_are_not_wanted_are_not_kept(new: set[str], tmp_path: Path) -> None:
    with ArchiveReader(tmp_path, [digest(TWO)], new) as export:
        export.receive(io.BytesIO(tar(FORMS["Docker 20"])))
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
    def read(export: ArchiveReader) -> None:
        export.receive(io.BytesIO(data))
        export.config()

    with (
        ArchiveReader(tmp_path, []) as export,
        pytest.raises(EngineError, match="the daemon's archive"),
    ):
        read(export)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.binary(max_size=2000), at=st.integers(0, 5000))
def test_a_damaged_archive_raises_nothing_else(data: bytes, at: int, tmp_path: Path) -> None:
    whole = tar(FORMS["containerd's store"])
    with ArchiveReader(tmp_path, []) as export:
        try:
            export.receive(io.BytesIO(whole[:at] + data + whole[at + len(data) :]))
            export.config()
        except EngineError:
            return


def test_what_fails_fails_those_who_wait(tmp_path: Path) -> None:
    with ArchiveReader(tmp_path, [digest(ONE)]) as export:
        export.start(nullcontext(io.BytesIO(b"not a tar")))
        for ask in (export.config, export.stored_manifests, lambda: export.layer(digest(ONE))):
            with pytest.raises(EngineError, match="the daemon's archive of the image"):
                ask()


def exported(archive: Mapping[str, bytes | str], folder: Path) -> ArchiveReader:
    export = ArchiveReader(folder, [digest(ONE), digest(TWO)], {digest(ONE), digest(TWO)})
    export.receive(io.BytesIO(tar(dict(archive))))
    return export


class TestStoredManifests:
    """Docker with containerd's store exports the manifests to push an image with."""

    @pytest.mark.parametrize("form", ["Docker 20", "Docker 25", "Podman 4"])
    def test_other_stores_have_none(self, form: str, tmp_path: Path) -> None:
        with exported(FORMS[form], tmp_path) as export:
            assert export.stored_manifests() is None

    def test_an_image(self, tmp_path: Path) -> None:
        with exported(in_store(IMAGE), tmp_path) as export:
            kept = export.stored_manifests()
            assert kept is not None
            assert [one.body for one in kept.pushed] == [kept.image.body] == [IMAGE]
            assert [export.layer(digest(one)).digest for one in (ONE, TWO)] == [
                digest(one) for one in PACKED
            ]

    def test_an_index_comes_after_what_it_names_with_every_blob(self, tmp_path: Path) -> None:
        with exported(in_store(IMAGE, ATTESTATION), tmp_path) as export:
            kept = export.stored_manifests()
            assert kept is not None
            index = index_of(IMAGE, ATTESTATION)
            assert [one.body for one in kept.pushed] == [IMAGE, ATTESTATION, index]
            assert kept.incomplete_index is None
            for part in (CONFIG, *PACKED, *ATTESTED):
                assert export.open_blob(digest(part)).read() == part

    @pytest.mark.parametrize("missing", [ATTESTATION, ATTESTED[1]])
    def test_of_an_index_that_is_not_whole_there_is_the_image(
        self, missing: bytes, tmp_path: Path
    ) -> None:
        archive = in_store(IMAGE, ATTESTATION, without=missing)
        with exported(archive, tmp_path) as export:
            kept = export.stored_manifests()
            assert kept is not None
            assert [one.body for one in kept.pushed] == [IMAGE]
            (told,) = index_messages(kept)
            assert told["aux"]["selectedManifest"]["digest"] == digest(IMAGE)
            assert told["aux"]["originalIndex"]["digest"] == digest(index_of(IMAGE, ATTESTATION))

    def test_a_manifest_with_other_content_than_its_digest_is_none(self, tmp_path: Path) -> None:
        archive = in_store(IMAGE) | {blob(IMAGE): IMAGE + b" "}
        with exported(archive, tmp_path) as export:
            assert export.stored_manifests() is None


def test_our_own_archives_are_read_again(tmp_path: Path) -> None:
    manifest = manifests.parse(IMAGE, media_types.OCI_MANIFEST)
    layers = {digest(packed): tmp_path / digest(packed) for packed in PACKED}
    for packed in PACKED:
        layers[digest(packed)].write_bytes(packed)
    with exported_from(
        image_archive(manifest, CONFIG, parse("a:1"), layers.__getitem__, True), tmp_path
    ) as export:
        assert export.config() == CONFIG
        assert export.layer(digest(ONE)).digest == digest(PACKED[0])
        kept = export.stored_manifests()
        assert kept is not None
        assert kept.pushed == (manifest,)


def test_our_archives_of_unpacked_layers_are_too(tmp_path: Path) -> None:
    manifest = manifests.parse(IMAGE, media_types.OCI_MANIFEST)
    layers = {digest(packed): tmp_path / digest(packed) for packed in PACKED}
    for packed in PACKED:
        layers[digest(packed)].write_bytes(gzip.decompress(packed))
    with exported_from(
        image_archive(manifest, CONFIG, parse("a:1"), layers.__getitem__, False), tmp_path
    ) as export:
        assert export.config() == CONFIG
        assert export.stored_manifests() is None
        assert {export.layer(digest(one)).diff_id for one in (ONE, TWO)} == {
            digest(ONE),
            digest(TWO),
        }


def exported_from(written: Iterable[bytes], folder: Path) -> ArchiveReader:
    (folder / "export").mkdir()
    export = ArchiveReader(folder / "export", [digest(ONE), digest(TWO)])
    export.receive(io.BytesIO(b"".join(written)))
    return export
