"""The hub's images by the shipped advisories: findings counted by hand in the sources."""

from collections import Counter
from pathlib import Path

import pytest

from labs_helpers.sandbox.scanner import snapshot
from labs_helpers.sandbox.scanner.report import Report, Unsupported, scan
from labs_helpers.sandbox.scanner.versions import Uncomparable, version
from tests.sandbox.scanner.images import (
    ALPINE,
    APK,
    DEBIAN,
    DPKG,
    apk,
    dpkg,
    layers,
    metadata,
    stand_in,
)

SNAPSHOT = snapshot.load()


def judged(folder: Path, name: str) -> Report:
    return scan(stand_in(folder, name), SNAPSHOT, languages=False)


@pytest.mark.parametrize(
    ("name", "counts", "without_fix", "not_covered"),
    [
        ("nginx-1.21-alpine", {"CRITICAL": 7, "HIGH": 24, "MEDIUM": 20, "LOW": 3}, 1, 0),
        ("nginx-alpine", {"MEDIUM": 1}, 1, 0),
        ("debian-12.1", {"CRITICAL": 1, "HIGH": 14, "MEDIUM": 10, "LOW": 3, "UNDEFINED": 5}, 7, 7),
        ("debian-12", {"CRITICAL": 1, "HIGH": 2, "MEDIUM": 2, "LOW": 1, "UNDEFINED": 1}, 7, 7),
        ("ubuntu-26.04", {}, 0, 31),
    ],
)
def test_an_image_of_the_labs_has_its_findings(
    tmp_path: Path, name: str, counts: dict[str, int], without_fix: int, not_covered: int
) -> None:
    found = judged(tmp_path, name)
    assert Counter(one["severity"] for one in found["findings"]) == counts
    assert sum(not one["fixed"] for one in found["findings"]) == without_fix
    assert len(found["not_covered"]) == not_covered


def test_a_finding_tells_package_source_layer_and_fix(tmp_path: Path) -> None:
    found = judged(tmp_path, "nginx-1.21-alpine")
    (one,) = [each for each in found["findings"] if each["name"] == "CVE-2022-37434"]
    assert (one["source"], one["source_version"], one["fixed"], one["severity"]) == (
        "zlib",
        "1.2.12-r0",
        "1.2.12-r2",
        "CRITICAL",
    )
    assert [package["name"] for package in one["packages"]] == ["zlib"]
    assert one["packages"][0]["layer"] == stand_in(tmp_path, "alpine-3.15")[0].digest


def test_every_binary_package_of_a_source_is_named(tmp_path: Path) -> None:
    found = judged(tmp_path, "nginx-1.21-alpine")
    names = {
        package["name"]
        for one in found["findings"]
        if one["source"] == "openssl"
        for package in one["packages"]
    }
    assert names == {"libcrypto1.1", "libssl1.1"}


def test_what_is_without_a_fix_everywhere(tmp_path: Path) -> None:
    (one,) = judged(tmp_path, "nginx-alpine")["findings"]
    assert (one["name"], one["source"], one["fixed"]) == ("CVE-2025-60876", "busybox", "")


def test_python_is_judged_only_with_languages(tmp_path: Path) -> None:
    pile = [
        *stand_in(tmp_path, "nginx-alpine"),
        *layers(tmp_path, {"app/PyYAML-5.3.1.dist-info/METADATA": metadata("PyYAML", "5.3.1")}),
    ]
    basic = {one["source"] for one in scan(pile, SNAPSHOT, languages=False)["findings"]}
    enhanced = {one["source"] for one in scan(pile, SNAPSHOT, languages=True)["findings"]}
    assert enhanced - basic == {"pyyaml"}


@pytest.mark.parametrize("languages", [False, True])
def test_an_image_of_nothing_is_not_clean(tmp_path: Path, languages: bool) -> None:
    with pytest.raises(Unsupported):
        scan(layers(tmp_path, {"bin/app": b"\x7fELF"}), SNAPSHOT, languages=languages)


@pytest.mark.parametrize("entry", [{"etc/os-release": ALPINE}, {APK: apk("zlib 1-r0")}])
def test_half_of_what_makes_a_distribution_is_not_clean(
    tmp_path: Path, entry: dict[str, str]
) -> None:
    with pytest.raises(Unsupported):
        scan(layers(tmp_path, {**entry}), SNAPSHOT, languages=False)


def test_a_package_that_no_record_names_is_not_covered(tmp_path: Path) -> None:
    found = scan(
        layers(tmp_path, {"etc/os-release": ALPINE, APK: apk("zlib 1.2.12-r2", "redis 6.2.6-r0")}),
        SNAPSHOT,
        languages=False,
    )
    assert [one["source"] for one in found["not_covered"]] == ["redis"]


@pytest.mark.parametrize(("installed", "covered"), [("1.6.58-r1", True), ("1.6.50-r0", False)])
def test_coverage_by_list_begins_at_a_version(
    tmp_path: Path, installed: str, covered: bool
) -> None:
    pile = layers(
        tmp_path,
        {"etc/os-release": "ID=alpine\nVERSION_ID=3.24.2\n", APK: apk(f"libpng {installed}")},
    )
    assert (scan(pile, SNAPSHOT, languages=False)["not_covered"] == []) is covered


def test_a_version_that_cannot_be_placed_is_not_covered(tmp_path: Path) -> None:
    pile = layers(tmp_path, {"etc/os-release": ALPINE, APK: apk("zlib 1.2_git2020-r0")})
    found = scan(pile, SNAPSHOT, languages=False)
    assert found["findings"] == []
    assert "no version of Alpine" in found["not_covered"][0]["reason"]


def test_another_release_of_a_known_distribution_is_not_covered(tmp_path: Path) -> None:
    pile = layers(tmp_path, {"etc/os-release": DEBIAN.replace("12", "13"), DPKG: dpkg("tar 1.35")})
    assert len(scan(pile, SNAPSHOT, languages=False)["not_covered"]) == 1


def test_every_version_in_the_records_has_its_place_but_one() -> None:
    lost = set()
    for record in SNAPSHOT.records:
        for affected in record.affected:
            for events in affected.ranges:
                for _, text in events:
                    try:
                        assert text == "0" or version(affected.ecosystem, text)
                    except Uncomparable:
                        lost.add((affected.ecosystem, affected.name, text))
    assert lost == {("Alpine:v3.14", "libretls", "3.3.3p1-r3")}


def test_every_record_says_where_it_is_from() -> None:
    for record in SNAPSHOT.records:
        own = record.document["database_specific"]
        assert own["licence"], record.id
        assert own["retrieved"] <= SNAPSHOT.retrieved
        assert all(url.startswith("https://") for url in own["source_urls"])
        assert own["source_urls"]
