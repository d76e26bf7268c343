"""What is installed, by each kind of database, and databases that cannot be trusted."""

from pathlib import Path

import pytest

from labs_helpers.sandbox.scanner import apk as apk_database
from labs_helpers.sandbox.scanner import dpkg as dpkg_database
from labs_helpers.sandbox.scanner import python_packages
from labs_helpers.sandbox.scanner.distribution import Distribution
from labs_helpers.sandbox.scanner.inventory import take
from labs_helpers.sandbox.scanner.limits import DatabaseDamaged
from tests.sandbox.scanner.images import ALPINE, APK, DEBIAN, DPKG, apk, dpkg, layers, metadata


def test_apk_names_the_origin() -> None:
    (package,) = apk_database.parse(apk("libssl1.1 1.1.1n-r0 openssl").encode(), APK)
    assert (package.name, package.source, package.source_version, package.architecture) == (
        "libssl1.1",
        "openssl",
        "1.1.1n-r0",
        "x86_64",
    )


def test_dpkg_names_the_source_and_its_version() -> None:
    (package,) = dpkg_database.parse(
        dpkg("login 1:4.13+dfsg1-1+b1 shadow (1:4.13+dfsg1-1)").encode(), DPKG
    )
    assert (package.source, package.source_version) == ("shadow", "1:4.13+dfsg1-1")


@pytest.mark.parametrize(
    ("status", "there"),
    [
        ("install ok installed", True),
        ("hold ok installed", True),
        ("install ok half-configured", True),
        ("install ok unpacked", True),
        ("deinstall ok config-files", False),
        ("purge ok not-installed", False),
    ],
)
def test_dpkg_counts_what_has_files(status: str, there: bool) -> None:
    record = f"Package: tar\nStatus: {status}\nVersion: 1.34\n\n"
    assert bool(dpkg_database.parse(record.encode(), DPKG)) is there


def test_images_without_dpkg_list_one_package_a_file(tmp_path: Path) -> None:
    found = take(
        layers(
            tmp_path,
            {
                "etc/os-release": DEBIAN,
                "var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12.4\n",
                "var/lib/dpkg/status.d/base.md5sums": "d41d8cd9 etc/debian_version\n",
                "var/lib/dpkg/status.d/zlib1g": (
                    "Package: zlib1g\nSource: zlib\nVersion: 1:1.2.13\nArchitecture: amd64\n"
                ),
            },
        )
    )
    assert [package.source for package in found.packages] == ["base-files", "zlib"]


@pytest.mark.parametrize(
    "path",
    [
        "usr/lib/python3.12/site-packages/Flask-2.2.2.dist-info/METADATA",
        "app/Flask-2.2.2.egg-info/PKG-INFO",
        "app/Flask-2.2.2.egg-info",
        "app/Flask-2.2.2.egg/EGG-INFO/PKG-INFO",
    ],
)
def test_python_distributions_are_found_wherever_they_lie(tmp_path: Path, path: str) -> None:
    found = take(layers(tmp_path, {path: metadata("Flask", "2.2.2")}))
    (package,) = found.packages
    assert (package.name, package.version, package.path) == ("flask", "2.2.2", path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Name: flask\n",
        b"Version: 1\n",
        b"Name: a b\nVersion: 1\n",
        b"Name: a\nName: b\nVersion: 1\n",
        b"\xff\xfe\x00",
        b"\n\n",
    ],
)
def test_a_distribution_without_name_or_version_is_told_of(tmp_path: Path, content: bytes) -> None:
    path = "app/x.dist-info/METADATA"
    assert python_packages.parse(content) is None
    found = take(layers(tmp_path, {path: content, "etc/os-release": ALPINE, APK: apk("a 1-r0")}))
    assert [where for where, _ in found.unread] == [path]


def test_an_rpm_database_is_told_of_and_not_read(tmp_path: Path) -> None:
    path = "var/lib/rpm/rpmdb.sqlite"
    found = take(layers(tmp_path, {path: b"SQLite", "etc/os-release": "ID=fedora\nVERSION_ID=42"}))
    assert (found.packages, [where for where, _ in found.unread]) == ((), [path])


@pytest.mark.parametrize(
    "damage",
    [
        "P:zlib\n\n",
        "V:1.2.12-r0\n\n",
        "P:\nV:1\n\n",
        "P:zlib\nV:1-r0\n\nrubbish",
        "P:zlib\nV:1-r0\nPZlib\n\n",
        "P:zlib\nV:1-r0\nV:1-r0\n\n",
        "P:zlib\nP:other\nV:1-r0\n\n",
        "P:zlib\nV:1-r0\no:zlib\no:other\n\n",
        "P:zlib\nV: 1-r0\n\n",
        "P:zlib\nV:1-r0\r\n\n",
        "\0\0\0\0",
    ],
)
def test_half_an_apk_database_is_not_a_database(damage: str) -> None:
    with pytest.raises(DatabaseDamaged, match="lib/apk/db/installed cannot be read"):
        apk_database.parse(damage.encode(), APK)


@pytest.mark.parametrize(
    "damage",
    [
        "Version: 1\nStatus: install ok installed\n\n",
        "Package: tar\nStatus: install ok installed\n\n",
        "Package: tar\nVersion: 1\nrubbish\n\n",
        "\x1f\x8b\x08",
        "Package: tar\nVersion: 1\nVersion: 2\n\n",
        "Package: tar\nVersion: 1\nVERSION: 2\n\n",
        "Package: tar\nVersion: 1\nPackage: other\n\n",
        "Package: tar\nVersion: 1\nSource: a\nSource: b\n\n",
        "Package: tar\nVersion: 1\n 2\n\n",
        "Package: tar\nVersion: 1\nSource: a (1) b\n\n",
        "Package: tar\nVersion: 1\nStatus: config-files\n\n",
        "Package: tar\nVersion: 1\nStatus: install ok installed config-files\n\n",
        "Package: tar\nVersion: 1\n \nPackage: other\nVersion: 1\n\n",
    ],
)
def test_half_a_dpkg_database_is_not_a_database(damage: str) -> None:
    with pytest.raises(DatabaseDamaged, match="var/lib/dpkg/status cannot be read"):
        dpkg_database.parse(damage.encode(), DPKG)


def test_dpkg_knows_a_package_by_its_name_in_lower_case() -> None:
    (package,) = dpkg_database.parse(b"Package: TAR\nVersion: 1.34\n", DPKG)
    assert (package.name, package.source) == ("tar", "tar")


@pytest.mark.parametrize("content", ["", "\n\n\n"])
def test_an_empty_database_is_not_a_clean_image(tmp_path: Path, content: str) -> None:
    with pytest.raises(DatabaseDamaged, match="lists no package"):
        take(layers(tmp_path, {"etc/os-release": ALPINE, APK: content}))


@pytest.mark.parametrize(
    ("identity", "version", "ecosystem", "platform"),
    [
        ("alpine", "3.15.4", "Alpine:v3.15", "ALPINE_LINUX_3_15"),
        ("alpine", "3.25_alpha20260901", "Alpine:edge", "ALPINE_LINUX_3_25_ALPHA20260901"),
        ("debian", "12", "Debian:12", "DEBIAN_12"),
        ("ubuntu", "26.04", "Ubuntu:26.04:LTS", "UBUNTU_26_04"),
        ("ubuntu", "25.10", "Ubuntu:25.10", "UBUNTU_25_10"),
        ("wolfi", "20230201", "wolfi:20230201", "WOLFI_20230201"),
    ],
)
def test_a_distribution_has_its_ecosystem(
    identity: str, version: str, ecosystem: str, platform: str
) -> None:
    found = Distribution(identity, version, "")
    assert (found.ecosystem, found.platform) == (ecosystem, platform)


def test_alpines_own_release_file_is_enough(tmp_path: Path) -> None:
    found = take(layers(tmp_path, {"etc/alpine-release": "3.15.4\n", APK: apk("a 1-r0")}))
    assert found.distribution is not None
    assert found.distribution.ecosystem == "Alpine:v3.15"
