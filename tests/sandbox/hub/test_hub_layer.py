"""Every gunzip and tar reads a layer, and its bytes are the same on every machine."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.sandbox.hub import layer
from labs_helpers.sandbox.hub.recipe import Entry


@given(st.binary(max_size=2000))
def test_stored_gzip_unpacks_to_the_same_data(data: bytes) -> None:
    assert gzip.decompress(layer.gzip_stored(data)) == data


@pytest.mark.parametrize("size", [0, 1, 65534, 65535, 65536, 131070, 131071])
def test_stored_gzip_holds_at_the_edges_of_a_block(size: int) -> None:
    data = bytes(size)
    assert gzip.decompress(layer.gzip_stored(data)) == data


def test_stored_gzip_is_one_complete_stream() -> None:
    reader = zlib.decompressobj(wbits=31)
    reader.decompress(layer.gzip_stored(b"x" * 70000))
    assert reader.eof
    assert reader.unused_data == b""


def test_the_order_of_entries_does_not_matter() -> None:
    entries = [Entry("b", "file", 0o644, b"2"), Entry("a/c", "file", 0o644, b"1")]
    assert layer.tar(entries, 0) == layer.tar(reversed(entries), 0)


def test_members_are_sorted_and_their_folders_are_there() -> None:
    plain = layer.tar([Entry("usr/share/x", "file", 0o600, b"1")], 1_700_000_000)
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == ["usr", "usr/share", "usr/share/x"]
    assert {(m.uid, m.gid, m.uname, m.mtime) for m in members} == {(0, 0, "", 1_700_000_000)}
