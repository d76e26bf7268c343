"""Layers made to hurt: too large, cut short, endless, lying. None is ever taken for clean."""

import gzip
import io
import struct
import tarfile
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_helpers.sandbox.scanner.archive import normal
from labs_helpers.sandbox.scanner.inventory import take
from labs_helpers.sandbox.scanner.limits import LayerDamaged, Limits, TooMuch, Unscannable
from labs_helpers.sandbox.scanner.tree import Layer
from tests.sandbox.scanner.images import (
    ALPINE,
    APK,
    Content,
    Link,
    apk,
    layers,
    metadata,
    store,
    tar,
)

MEBI = 1024 * 1024
GOOD: dict[str, Content] = {"etc/os-release": ALPINE, APK: apk("zlib 1.2.12-r0")}
SMALL = Limits(
    unpacked=8 * MEBI, entries=2000, kept=MEBI, database=512 * 1024, packages=100, seconds=60
)


def bomb(size: int) -> bytes:
    """A layer with one file of ``size`` zeros, gzipped."""
    member = tarfile.TarInfo("zeros")
    member.size = size
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(member.tobuf())]
    parts += [packer.compress(bytes(MEBI)) for _ in range(size // MEBI)]
    return b"".join([*parts, packer.flush()])


def test_a_zip_bomb_ends_at_the_limit(tmp_path: Path) -> None:
    with pytest.raises(TooMuch, match="unpack to more than"):
        take([store(tmp_path, bomb(64 * MEBI))], SMALL)


def test_a_zip_bomb_costs_no_memory(tmp_path: Path) -> None:
    good = layers(tmp_path, GOOD)
    tracemalloc.start()
    try:
        found = take([*good, store(tmp_path, bomb(256 * MEBI))])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [package.name for package in found.packages] == ["zlib"]
    assert peak < 8 * MEBI


@pytest.mark.parametrize("name", ["/".join("a" * 20_000), "a" * 256], ids=["deep", "long"])
def test_a_name_that_no_file_system_takes_is_damage(tmp_path: Path, name: str) -> None:
    """No runtime unpacks the layer; a deep name took minutes."""
    link: dict[str, Content] = {"a": Link("b")}
    with pytest.raises(LayerDamaged, match="too long"):
        take(layers(tmp_path, GOOD, link, {name: "x"}))


def test_the_same_layer_a_thousand_times_counts_each_time(tmp_path: Path) -> None:
    with pytest.raises(TooMuch):
        take([store(tmp_path, bomb(MEBI))] * 1000, SMALL)


def test_too_many_entries_end_the_scan(tmp_path: Path) -> None:
    many = {f"d/{number}": "" for number in range(3000)}
    with pytest.raises(TooMuch, match="entries"):
        take(layers(tmp_path, many), SMALL)


def test_twenty_thousand_whiteouts_cost_no_memory(tmp_path: Path) -> None:
    block = b"".join(tarfile.TarInfo(f"d/.wh.{number}").tobuf() for number in range(20_000))
    good, many = [*layers(tmp_path, GOOD), store(tmp_path, gzip.compress(block + bytes(1024), 1))]
    tracemalloc.start()
    try:
        take([good, many])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MEBI


def memory(pile: list[Layer]) -> int:
    """The most that a scan of these layers held, in bytes, whatever came of it."""
    tracemalloc.start()
    try:
        with suppress(TooMuch):
            take(pile)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def blocks(folder: Path, members: Iterable[tarfile.TarInfo]) -> Layer:
    """A layer of entries without content."""
    plain = b"".join(member.tobuf(tarfile.PAX_FORMAT) for member in members)
    return store(folder, gzip.compress(plain + bytes(1024), 1))


THOUSANDS = pytest.mark.parametrize("count", [3_000, pytest.param(30_000, marks=pytest.mark.soak)])


def little(count: int) -> int:
    """The memory that so many entries may take: 40 MiB for thirty thousand."""
    return 40 * MEBI * count // 30_000


@THOUSANDS
def test_thousands_of_kept_files_cost_little_memory(tmp_path: Path, count: int) -> None:
    many = (tarfile.TarInfo(f"d/{number}.egg-info") for number in range(count))
    assert memory([blocks(tmp_path, many)]) < little(count)


@THOUSANDS
def test_thousands_of_links_cost_little_memory(tmp_path: Path, count: int) -> None:
    def links() -> Iterator[tarfile.TarInfo]:
        for number in range(count):
            member = tarfile.TarInfo(f"d/{number}.egg-info")
            member.type = tarfile.SYMTYPE if number % 2 else tarfile.LNKTYPE
            member.linkname = f"../x/{number}"
            yield member

    assert memory([blocks(tmp_path, links())]) < little(count)


def test_deep_paths_cost_little_memory(tmp_path: Path) -> None:
    deep = (
        tarfile.TarInfo(f"{number}/" + "a/" * 1500 + "x.dist-info/METADATA")
        for number in range(300)
    )
    assert memory([blocks(tmp_path, deep), *layers(tmp_path, {"a": ""})]) < 8 * MEBI


def test_a_huge_database_ends_the_scan(tmp_path: Path) -> None:
    huge = {**GOOD, APK: apk("zlib 1-r0") + "#" * MEBI}
    with pytest.raises(TooMuch, match="package database"):
        take(layers(tmp_path, huge), SMALL)


def test_many_databases_end_the_scan(tmp_path: Path) -> None:
    many = {f"a/{n}.dist-info/METADATA": metadata("x", "1") + "x" * 30_000 for n in range(60)}
    with pytest.raises(TooMuch):
        take(layers(tmp_path, many), SMALL)


def test_too_many_packages_end_the_scan(tmp_path: Path) -> None:
    many = {**GOOD, APK: apk(*(f"p{number} 1-r0" for number in range(200)))}
    with pytest.raises(TooMuch, match="packages"):
        take(layers(tmp_path, many), SMALL)


def test_time_ends_the_scan(tmp_path: Path) -> None:
    with pytest.raises(TooMuch, match="seconds"):
        take(layers(tmp_path, GOOD), Limits(seconds=-1))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE])
def test_a_header_of_gigabytes_is_not_read(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("long")
    member.type, member.size = kind, 4 * 1024 * MEBI
    with pytest.raises(TooMuch, match="header"):
        take([store(tmp_path, member.tobuf(tarfile.GNU_FORMAT) + bytes(MEBI))])


def test_headers_without_end_are_damage(tmp_path: Path) -> None:
    member = tarfile.TarInfo("pax")
    member.type, member.size = tarfile.XHDTYPE, 512
    record = b"20 comment=xxxxxxxx\n"
    block = member.tobuf() + record + bytes(512 - len(record))
    with pytest.raises(Unscannable):
        take([store(tmp_path, block * 5000)])


def test_a_damaged_header_does_not_hide_what_follows(tmp_path: Path) -> None:
    first, rest = tar({"a": "x"}), tar(GOOD)
    damaged = first[:1024] + b"\x01" * 512 + rest
    with pytest.raises(Unscannable, match="damaged header"):
        take([store(tmp_path, damaged)])


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_layer_cut_short_is_damage(tmp_path: Path, keep: float, packing: str) -> None:
    noise = bytes(range(256)) * 400
    (layer,) = layers(tmp_path, {**GOOD, "noise": noise}, packing=packing)
    whole = layer.path.read_bytes()
    with pytest.raises(Unscannable):
        take([store(tmp_path, whole[: int(len(whole) * keep)])])


def test_a_file_longer_than_its_layer_is_damage(tmp_path: Path) -> None:
    member = tarfile.TarInfo(APK)
    member.size = 10_000
    with pytest.raises(Unscannable):
        take([store(tmp_path, member.tobuf() + b"P:zlib\nV:1-r0\n\n".ljust(1024, b"\0"))])


def test_what_is_no_layer_is_damage(tmp_path: Path) -> None:
    with pytest.raises(Unscannable, match="damaged header"):
        take([store(tmp_path, b"layer one".ljust(600, b"!"))])


def test_a_path_that_names_a_file_of_its_layer_again_is_damage(tmp_path: Path) -> None:
    entries = [("etc/../lib/apk/db/installed", "ID=other\n"), *GOOD.items()]
    with pytest.raises(Unscannable, match="twice"):
        take(layers(tmp_path, entries))


@pytest.mark.parametrize("path", ["../etc/os-release", "a/../../etc/os-release"])
def test_a_path_that_climbs_above_the_root_stays_in_the_image(tmp_path: Path, path: str) -> None:
    entries = [(path, "ID=other\n"), ("etc/os-release", ALPINE), (APK, apk("zlib 1-r0"))]
    found = take(layers(tmp_path, entries))
    assert found.distribution is not None
    assert found.distribution.id == "alpine"


@pytest.mark.parametrize("path", ["/etc/os-release", "./etc/os-release", "etc//./os-release"])
def test_a_path_spelled_oddly_is_the_same_file(tmp_path: Path, path: str) -> None:
    found = take(layers(tmp_path, {path: ALPINE, f"/{APK}": apk("zlib 1-r0")}))
    assert found.distribution is not None
    assert len(found.packages) == 1


def test_a_sparse_database_is_refused(tmp_path: Path) -> None:
    member = tarfile.TarInfo(APK)
    member.type, member.size = tarfile.GNUTYPE_SPARSE, 0
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    block[386:410] = b"00000000000\x0000000000000\x00"
    block[483:495] = b"00000001000\x00"
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    with pytest.raises(Unscannable, match="sparse"):
        take([store(tmp_path, bytes(block) + bytes(1024))])


def test_a_zstd_frame_with_a_giant_window_is_refused(tmp_path: Path) -> None:
    descriptor, window = 0x00, (31 - 10) << 3
    frame = struct.pack("<IBB", 0xFD2FB528, descriptor, window) + b"\x01\x00\x00"
    with pytest.raises(Unscannable, match="zstd"):
        take([store(tmp_path, frame)])


@given(st.text(max_size=60))
def test_no_path_leaves_the_image(name: str) -> None:
    path = normal(name)
    assert path is None or not ({"..", "."} & set(path.split("/")) or path.startswith("/"))


PARTS = st.sampled_from(
    ["lib", "apk", "db", "installed", "usr", "etc", "os-release", "..", ".wh.lib"]
)
NAMES = st.lists(PARTS, min_size=1, max_size=5).map("/".join)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_layers_give_an_inventory_or_say_why_not(tmp_path: Path, data: st.DataObject) -> None:
    """Entries, links and whiteouts in any order: an answer or Unscannable, in bounded time."""
    pile = []
    for _ in range(data.draw(st.integers(1, 4))):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name in data.draw(st.lists(NAMES, max_size=6)):
                member = tarfile.TarInfo(name)
                kinds = [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]
                member.type = data.draw(st.sampled_from(kinds))
                member.linkname = data.draw(NAMES) if member.issym() or member.islnk() else ""
                content = apk("zlib 1-r0").encode() if member.isreg() else b""
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        pile.append(store(tmp_path, buffer.getvalue()))
    try:
        found = take(pile, SMALL)
    except Unscannable:
        return
    assert {package.name for package in found.packages} <= {"zlib"}


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(noise=st.binary(max_size=40), at=st.integers(0, 3000), packed=st.booleans())
def test_any_damage_is_survived(tmp_path: Path, noise: bytes, at: int, packed: bool) -> None:
    whole = tar(GOOD)
    whole = gzip.compress(whole, mtime=0) if packed else whole
    at %= len(whole)
    try:
        take([store(tmp_path, whole[:at] + noise + whole[at + len(noise) :])], SMALL)
    except Unscannable:
        return
