"""The image store: names, shared layers, and one encoding on every machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_helpers.engine.compression import (
    HEAD,
    STORED_LIMIT,
    CompressionError,
    GzipDecoder,
    LayerEncoder,
    ZstdDecoder,
    decoder_of,
)
from labs_helpers.engine.store import BlobError, Conflict, ImageStore, Layer, NoSuchImage
from labs_helpers.engine.streams import result_of
from labs_helpers.engine.tar_content import ContentSize
from labs_helpers.files import SetAside

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "engine")


def tar_of(**files: bytes) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def config_of(*layers: Layer, **more: Any) -> dict[str, Any]:
    rootfs = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
    return {"architecture": "amd64", "os": "linux", "rootfs": rootfs, **more}


def encoded(data: bytes, portions: int = 1) -> bytes:
    encoder = LayerEncoder()
    step = max(1, len(data) // portions)
    parts = [encoder.feed(data[at : at + step]) for at in range(0, len(data), step)]
    return b"".join([*parts, encoder.finish()])


@pytest.mark.parametrize("damage", [b"no database" * 1000, b""])
def test_a_damaged_or_emptied_database_is_set_aside_with_its_layers(
    store: ImageStore, tmp_path: Path, damage: bytes
) -> None:
    layer = store.write_layer(tar_of(a=b"1"))
    store.add_image(config_of(layer), [layer])
    store.close()
    (tmp_path / "engine" / "images.sqlite").write_bytes(damage)
    with pytest.warns(SetAside, match="the engine starts without images"):
        again = ImageStore(tmp_path / "engine")
    again.sweep()
    assert again.list() == []
    (aside,) = (tmp_path / "engine").glob("images.sqlite.damaged-*")
    assert (aside / "images.sqlite").is_file()
    assert (aside / "blobs" / "sha256" / layer.digest.removeprefix("sha256:")).is_file()
    again.close()


class TestEncoding:
    @given(st.binary(max_size=200_000), st.integers(1, 9))
    @settings(max_examples=40, deadline=None)
    def test_any_gzip_reader_gets_the_bytes_back(self, data: bytes, portions: int) -> None:
        assert gzip.decompress(encoded(data, portions)) == data

    def test_small_layers_have_the_digest_they_have_on_every_machine(self) -> None:
        # made without a compressor: this value holds for any zlib, zlib-ng or hardware deflate
        data = bytes(range(256)) * 1000
        assert hashlib.sha256(encoded(data)).hexdigest() == (
            "b8f1ae9de750f2f0916d4a58ca5ce44bc0922d4c04bb8844529c4f8ae7d16673"
        )

    def test_the_portions_fed_do_not_change_the_encoding(self) -> None:
        data = b"labs" * (STORED_LIMIT // 4) + b"one more"
        assert encoded(data, 7) == encoded(data, 1)
        assert len(encoded(data)) < len(data) // 10

    @given(st.binary(max_size=3000), st.integers(1, 500))
    @settings(max_examples=60, deadline=None)
    def test_decoding_undoes_members_in_any_portions(self, data: bytes, step: int) -> None:
        blob = gzip.compress(data) + gzip.compress(b"second")
        decoder = GzipDecoder()
        out = [
            part for at in range(0, len(blob), step) for part in decoder.feed(blob[at : at + step])
        ]
        assert b"".join([*out, *decoder.finish()]) == data + b"second"

    @given(st.binary(max_size=3000), st.integers(1, 500))
    @settings(max_examples=60, deadline=None)
    def test_zstd_is_undone_in_any_portions(self, data: bytes, step: int) -> None:
        skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
        blob = skipped + zstd.compress(data) + skipped + zstd.compress(b"second")
        decoder = decoder_of(blob[:HEAD])
        assert isinstance(decoder, ZstdDecoder)
        out = [
            part for at in range(0, len(blob), step) for part in decoder.feed(blob[at : at + step])
        ]
        assert b"".join([*out, *decoder.finish()]) == data + b"second"

    def test_what_zstd_unpacks_to_comes_in_portions(self) -> None:
        portions = list(ZstdDecoder().feed(zstd.compress(bytes(5_000_000)), 100_000))
        assert sum(map(len, portions)) == 5_000_000
        assert max(map(len, portions)) <= 100_000

    @given(st.binary(max_size=300), st.integers(0, 40))
    @settings(max_examples=60, deadline=None)
    def test_damaged_zstd_is_one_kind_of_error(self, damage: bytes, at: int) -> None:
        blob = zstd.compress(b"x" * 1000 + bytes(range(256)))
        blob = blob[:at] + damage + blob[at + len(damage) :]
        decoder = ZstdDecoder()
        try:
            out = b"".join([*decoder.feed(blob), *decoder.finish()])
        except CompressionError:
            return
        assert len(out) <= 1_300_000

    def test_a_window_of_gigabytes_is_refused(self) -> None:
        options = {zstd.CompressionParameter.window_log: 30}
        packer = zstd.ZstdCompressor(options=options)
        blob = packer.compress(bytes(1_000_000)) + packer.flush()
        with pytest.raises(CompressionError, match="invalid zstd data"):
            list(ZstdDecoder().feed(blob))

    def test_a_truncated_stream_is_refused(self) -> None:
        decoder = GzipDecoder()
        list(decoder.feed(gzip.compress(b"x" * 1000)[:-9]))
        with pytest.raises(CompressionError, match="unexpected EOF"):
            list(decoder.finish())


class TestLayers:
    def test_a_layer_is_stored_once_and_read_back(self, store: ImageStore) -> None:
        tar = tar_of(hello=b"world")
        first = store.write_layer(tar)
        tar.seek(0)
        second = store.write_layer(tar)
        assert first == second
        assert first.diff_id == "sha256:" + hashlib.sha256(tar.getvalue()).hexdigest()
        assert list(store.blobs.digests()) == [first.digest]
        with tarfile.open(fileobj=store.open_layer(first), mode="r|") as read:
            assert read.getnames() == ["hello"]

    def test_a_received_blob_is_kept_as_it_is(self, store: ImageStore) -> None:
        blob = gzip.compress(tar_of(a=b"1").getvalue(), 9)
        digest = "sha256:" + hashlib.sha256(blob).hexdigest()
        layer = result_of(store.receive_layer(io.BytesIO(blob), digest))
        assert (layer.digest, layer.size) == (digest, len(blob))
        assert layer.unpacked == len(b"1")

    def test_zstd_becomes_gzip_once_its_own_digest_is_verified(self, store: ImageStore) -> None:
        tar = tar_of(a=b"1" * 100_000).getvalue()
        blob = zstd.compress(tar)
        layer = result_of(
            store.receive_layer(io.BytesIO(blob), "sha256:" + hashlib.sha256(blob).hexdigest())
        )
        assert layer == store.write_layer(io.BytesIO(tar))
        with pytest.raises(BlobError, match="verification failed"):
            result_of(store.receive_layer(io.BytesIO(blob), layer.diff_id))

    @pytest.mark.parametrize("damage", [lambda b: b[:-5], lambda b: b + b"x", lambda b: b"no"])
    def test_a_blob_that_is_not_its_digest_leaves_nothing(
        self, store: ImageStore, damage: Any
    ) -> None:
        blob = gzip.compress(b"content")
        digest = "sha256:" + hashlib.sha256(blob).hexdigest()
        with pytest.raises(BlobError):
            result_of(store.receive_layer(io.BytesIO(damage(blob)), digest))
        store.sweep()
        assert list(store.blobs.digests()) == []

    def test_reading_a_large_layer_gives_it_whole(self, store: ImageStore) -> None:
        data = zlib.compress(b"seed") * 500_000
        layer = store.write_layer(io.BytesIO(data))
        assert layer.size < len(data)
        assert hashlib.sha256(store.open_layer(layer).read()).hexdigest() in layer.diff_id


class TestImages:
    def test_equal_configurations_are_one_image(self, store: ImageStore) -> None:
        layer = store.write_layer(tar_of(a=b"1"))
        first = store.add_image(config_of(layer), [layer], ["demo-app"])
        second = store.add_image(dict(reversed(config_of(layer).items())), [layer], ["other:1"])
        assert first.id == second.id
        assert second.names == ("docker.io/library/demo-app:latest", "docker.io/library/other:1")

    def test_an_image_is_found_by_every_name_it_has(self, store: ImageStore) -> None:
        layer = store.write_layer(tar_of(a=b"1"))
        image = store.add_image(config_of(layer), [layer], ["nginx:alpine"])
        store.tag(image, "nginx@sha256:" + "a" * 64)
        for name in (
            "nginx:alpine",
            "docker.io/library/nginx:alpine",
            image.id,
            image.short_id,
            image.id.removeprefix("sha256:"),
            image.id[:20],
            "nginx@sha256:" + "a" * 64,
        ):
            assert store.find(name).id == image.id

    @pytest.mark.parametrize(
        ("name", "said"),
        [("nginx", "nginx:latest"), ("a.b/c:1", "a.b/c:1"), ("sha256:00ff", "sha256:00ff")],
    )
    def test_a_missing_image_is_named_as_docker_names_it(
        self, store: ImageStore, name: str, said: str
    ) -> None:
        with pytest.raises(NoSuchImage, match=f"^No such image: {said}$"):
            store.find(name)

    @given(name=st.text(max_size=80))
    @settings(max_examples=80, deadline=None)
    def test_any_text_is_found_or_not(self, name: str, tmp_path_factory: Any) -> None:
        store = ImageStore(tmp_path_factory.mktemp("engine"))
        with pytest.raises(NoSuchImage):
            store.find(name)
        store.close()

    def test_a_name_moves_to_the_image_tagged_last(self, store: ImageStore) -> None:
        layer = store.write_layer(tar_of(a=b"1"))
        old = store.add_image(config_of(layer), [layer], ["demo-app"])
        new = store.add_image(config_of(layer, author="me"), [layer], ["demo-app"])
        assert store.find("demo-app").id == new.id
        assert store.find(old.id).names == ()

    def test_the_diff_ids_must_be_those_of_the_layers(self, store: ImageStore) -> None:
        layer = store.write_layer(tar_of(a=b"1"))
        with pytest.raises(ValueError, match="diff_ids"):
            store.add_image(config_of(), [layer])

    def test_state_survives_a_restart(self, store: ImageStore, tmp_path: Path) -> None:
        layer = store.write_layer(tar_of(a=b"1"))
        image = store.add_image(config_of(layer), [layer], ["demo-app"])
        store.close()
        again = ImageStore(tmp_path / "engine")
        again.sweep()
        assert again.find("demo-app") == image
        assert again.open_layer(layer).read() == tar_of(a=b"1").getvalue()


class TestRemoval:
    def test_shared_blobs_stay_until_the_last_image_goes(self, store: ImageStore) -> None:
        shared, own = store.write_layer(tar_of(a=b"1")), store.write_layer(tar_of(b=b"2"))
        base = store.add_image(config_of(shared), [shared])
        other = store.add_image(config_of(shared, own), [shared, own])
        assert store.remove(other.id) == own.size
        assert list(store.blobs.digests()) == [shared.digest]
        assert store.remove(base.id) == shared.size
        assert list(store.blobs.digests()) == []

    def test_a_layer_written_for_an_image_to_come_is_kept(self, store: ImageStore) -> None:
        layer = store.write_layer(tar_of(a=b"1"))
        image = store.add_image(config_of(layer), [layer])
        again = store.write_layer(tar_of(a=b"1"))
        store.remove(image.id)
        assert store.add_image(config_of(again, author="me"), [again]).layers == (again,)

    def test_an_image_with_children_is_not_removed(self, store: ImageStore) -> None:
        base = store.add_image(config_of(), [])
        child = store.add_image(config_of(author="me"), [], parent=base.id)
        assert [image.id for image in store.children(base.id)] == [child.id]
        with pytest.raises(Conflict, match="image has dependent child images"):
            store.remove(base.id)

    def test_a_sweep_removes_what_no_image_has(self, store: ImageStore, tmp_path: Path) -> None:
        kept = store.write_layer(tar_of(a=b"1"))
        store.add_image(config_of(kept), [kept])
        store.write_layer(tar_of(b=b"2"))
        (tmp_path / "engine/blobs/incoming/left").write_bytes(b"half")
        store.close()
        again = ImageStore(tmp_path / "engine")
        again.sweep()
        assert list(again.blobs.digests()) == [kept.digest]
        assert list((tmp_path / "engine/blobs/incoming").iterdir()) == []


class TestContentSize:
    @given(
        st.lists(st.tuples(st.text("abc/", min_size=1, max_size=300), st.integers(0, 5000))),
        st.integers(1, 3000),
        st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    )
    @settings(max_examples=50, deadline=None)
    def test_it_is_the_sum_of_the_files_however_the_tar_is_portioned(
        self, files: list[tuple[str, int]], step: int, form: int
    ) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
            for name, size in files:
                entry = tarfile.TarInfo(name)
                entry.size = size
                tar.addfile(entry, io.BytesIO(b"x" * size))
                tar.addfile(tarfile.TarInfo(name + "é"))
        size = ContentSize()
        data = buffer.getvalue()
        for at in range(0, len(data), step):
            size.feed(data[at : at + step])
        assert size.total == sum(length for _, length in files)

    @given(st.binary(max_size=5000), st.integers(1, 900))
    def test_what_is_not_a_tar_raises_nothing(self, data: bytes, step: int) -> None:
        size = ContentSize()
        for at in range(0, len(data), step):
            size.feed(data[at : at + step])


def test_threads_can_write_the_same_image_at_once(store: ImageStore) -> None:
    found: list[str] = []

    def work() -> None:
        layer = store.write_layer(tar_of(a=b"1"))
        found.append(store.add_image(config_of(layer), [layer], ["demo-app"]).id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(store.list()) == 1


def test_a_configuration_is_read_as_go_reads_it(store: ImageStore) -> None:
    """Null is an empty text in a list, and half of a surrogate pair is U+FFFD."""
    layer = result_of(store.receive_layer(tar_of(f=b"x")))
    given = {"Env": [None, "A=b"], "Shell": [None], "WorkingDir": "/\ud800", "env": ["B=c"]}
    encoded = json.dumps(config_of(layer, config=given, author="\udfff")).encode()
    image = store.add_image(encoded, [layer], ["box"])
    for found in (image, store.find("box")):
        assert found.config["author"] == "\ufffd"
        read = found.config["config"]
        assert (read["Shell"], read["WorkingDir"]) == ([""], "/\ufffd")
        assert read["Env"] == ["B=c"]
        assert found.config_bytes == encoded
