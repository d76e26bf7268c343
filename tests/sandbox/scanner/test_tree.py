"""Layers over layers: what is left of the files that a scan reads."""

import gzip
import struct
from pathlib import Path

import pytest

from labs_helpers.sandbox.scanner.inventory import Inventory, take
from labs_helpers.sandbox.scanner.limits import DatabaseDamaged, LayerDamaged
from tests.sandbox.scanner.images import (
    ALPINE,
    APK,
    DEBIAN,
    DPKG,
    Content,
    Directory,
    Entries,
    Link,
    apk,
    dpkg,
    layers,
    metadata,
    store,
    tar,
)

BASE: dict[str, Content] = {"etc/os-release": ALPINE, APK: apk("zlib 1.2.12-r0")}
FLASK = "usr/lib/python3/dist-packages/flask-2.2.2.dist-info"


def inventory(folder: Path, *contents: Entries) -> Inventory:
    return take(layers(folder, *contents))


def names(found: Inventory) -> list[str]:
    return [f"{package.name} {package.version}" for package in found.packages]


def test_a_package_is_attributed_to_the_layer_that_brought_it(tmp_path: Path) -> None:
    below, above = layers(tmp_path, BASE, {APK: apk("zlib 1.2.12-r0", "curl 7.80.0-r1")})
    found = {package.name: package.layer for package in take([below, above]).packages}
    assert found == {"zlib": below.digest, "curl": above.digest}


def test_an_upgraded_package_belongs_to_the_layer_of_the_upgrade(tmp_path: Path) -> None:
    below, above = layers(tmp_path, BASE, {APK: apk("zlib 1.2.13-r0")})
    (package,) = take([below, above]).packages
    assert (package.version, package.layer) == ("1.2.13-r0", above.digest)


def test_a_package_removed_and_brought_back_belongs_to_the_later_layer(tmp_path: Path) -> None:
    one, two, three = layers(
        tmp_path,
        {"etc/os-release": ALPINE, APK: apk("zlib 1.2.12-r0", "curl 7.80.0-r1")},
        {APK: apk("zlib 1.2.12-r0")},
        {APK: apk("zlib 1.2.12-r0", "curl 7.80.0-r1"), "x": ""},
    )
    found = {package.name: package.layer for package in take([one, two, three]).packages}
    assert found == {"zlib": one.digest, "curl": three.digest}


@pytest.mark.parametrize(
    "whiteout", [f"{FLASK}/.wh.METADATA", "usr/lib/python3/dist-packages/.wh.flask-2.2.2.dist-info",
                 "usr/lib/.wh.python3", ".wh.usr", "./usr/lib/.wh.python3",
                 "usr/lib/python3/.wh..wh..opq", "usr/.wh..wh..opq"]
)  # fmt: skip
def test_a_whiteout_removes_what_lower_layers_have(tmp_path: Path, whiteout: str) -> None:
    base = {**BASE, f"{FLASK}/METADATA": metadata("Flask", "2.2.2")}
    found = inventory(tmp_path, base, {whiteout: "", "etc/os-release": ALPINE, APK: BASE[APK]})
    assert names(found) == ["zlib 1.2.12-r0"]


def test_whether_the_root_is_emptied_depends_on_the_storage_driver(tmp_path: Path) -> None:
    base = {**BASE, f"{FLASK}/METADATA": metadata("Flask", "2.2.2")}
    with pytest.raises(LayerDamaged, match="depend on the container runtime"):
        inventory(tmp_path, base, {".wh..wh..opq": "", **BASE})
    assert names(inventory(tmp_path, BASE, {".wh..wh..opq": "", **BASE})) == ["zlib 1.2.12-r0"]


@pytest.mark.parametrize("link", ["x.dist-info", "x.egg-info"])
def test_python_metadata_behind_a_linked_folder_is_found(tmp_path: Path, link: str) -> None:
    name = "METADATA" if link.endswith("dist-info") else "PKG-INFO"
    metadata_file = {f"opt/flask/{name}": metadata("Flask", "2.2.2")}
    found = inventory(tmp_path, {**BASE, **metadata_file, f"app/{link}": Link("../opt/flask")})
    assert names(found) == ["zlib 1.2.12-r0", "flask 2.2.2"]


@pytest.mark.parametrize("whiteout", [f"{FLASK}/.wh.METADATA", f"{FLASK}/.wh..wh..opq"])
@pytest.mark.parametrize("first", [True, False])
def test_a_whiteout_spares_its_own_layer(tmp_path: Path, whiteout: str, first: bool) -> None:
    old, new = metadata("Flask", "2.2.2"), metadata("Flask", "3.1.3")
    pair: list[tuple[str, Content]] = [(whiteout, ""), (f"{FLASK}/METADATA", new)]
    found = inventory(tmp_path, {**BASE, f"{FLASK}/METADATA": old}, pair if first else pair[::-1])
    assert "flask 3.1.3" in names(found)


def test_a_file_in_place_of_a_directory_removes_what_was_in_it(tmp_path: Path) -> None:
    base = {**BASE, f"{FLASK}/METADATA": metadata("Flask", "2.2.2")}
    assert names(inventory(tmp_path, base, {"usr/lib/python3": "text"})) == ["zlib 1.2.12-r0"]


def test_a_directory_entry_takes_nothing_away(tmp_path: Path) -> None:
    base = {**BASE, f"{FLASK}/METADATA": metadata("Flask", "2.2.2")}
    assert "flask 2.2.2" in names(inventory(tmp_path, base, {"usr/lib/python3": Directory}))


def test_a_database_behind_a_linked_directory_is_found(tmp_path: Path) -> None:
    found = inventory(
        tmp_path,
        {"lib": Link("usr/lib"), f"usr/{APK}": apk("zlib 1.2.12-r0"), "etc/os-release": ALPINE},
        {APK: apk("zlib 1.2.13-r0")},
    )
    assert names(found) == ["zlib 1.2.13-r0"]


def test_a_database_that_is_a_link_is_followed_to_a_file_nobody_looked_at(tmp_path: Path) -> None:
    first = {"opt/db": dpkg("zlib1g 1:1.2.13.dfsg-1 zlib"), "etc/os-release": DEBIAN}
    found = inventory(tmp_path, first, {DPKG: Link("../../../opt/db")})
    assert names(found) == ["zlib1g 1:1.2.13.dfsg-1"]


@pytest.mark.parametrize("same_layer", [True, False])
def test_a_database_that_is_a_hard_link_is_read(tmp_path: Path, same_layer: bool) -> None:
    file: dict[str, Content] = {"opt/db": dpkg("tar 1.34"), "etc/os-release": DEBIAN}
    link: dict[str, Content] = {DPKG: Link("opt/db", hard=True)}
    contents = [{**file, **link}] if same_layer else [file, link]
    assert names(inventory(tmp_path, *contents)) == ["tar 1.34"]


def test_a_hard_link_keeps_its_content_when_the_target_changes(tmp_path: Path) -> None:
    found = inventory(
        tmp_path,
        {"opt/db": dpkg("tar 1.34"), DPKG: Link("opt/db", hard=True), "etc/os-release": DEBIAN},
        {"opt/.wh.db": ""},
        {"opt/db": dpkg("tar 9.9")},
    )
    assert names(found) == ["tar 1.34"]


def test_links_in_a_circle_are_no_empty_image(tmp_path: Path) -> None:
    circle = {"etc/os-release": DEBIAN, DPKG: Link("status-old"), "var/lib/dpkg/status-old": Link(
        "status")}  # fmt: skip
    with pytest.raises(DatabaseDamaged, match="circle"):
        inventory(tmp_path, circle)


@pytest.mark.parametrize("target", ["../../../../../../opt/db", "/opt/db"])
def test_a_link_that_climbs_above_the_root_stays_in_the_image(tmp_path: Path, target: str) -> None:
    first = {"opt/db": dpkg("tar 1.34"), "etc/os-release": DEBIAN, DPKG: Link(target)}
    assert names(inventory(tmp_path, first)) == ["tar 1.34"]


@pytest.mark.parametrize("packing", ["gzip", "zstd", "plain"])
def test_every_packing_is_read(tmp_path: Path, packing: str) -> None:
    assert names(take(layers(tmp_path, BASE, packing=packing))) == ["zlib 1.2.12-r0"]


@pytest.mark.parametrize("place", ["before", "after"])
def test_zstd_frames_to_skip_are_skipped(tmp_path: Path, place: str) -> None:
    (layer,) = layers(tmp_path, BASE, packing="zstd")
    skipped = struct.pack("<II", 0x184D2A57, 5) + b"table"
    whole = layer.path.read_bytes()
    whole = skipped + whole if place == "before" else whole + skipped
    assert names(take([store(tmp_path, whole)])) == ["zlib 1.2.12-r0"]


def test_a_gzip_stream_of_several_members_is_one_layer(tmp_path: Path) -> None:
    whole = tar(BASE)
    parts = [gzip.compress(whole[:700]), gzip.compress(whole[700:])]
    assert names(take([store(tmp_path, b"".join(parts))])) == ["zlib 1.2.12-r0"]


def test_an_empty_layer_changes_nothing(tmp_path: Path) -> None:
    assert names(inventory(tmp_path, BASE, {})) == ["zlib 1.2.12-r0"]
