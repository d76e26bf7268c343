"""What the checks read out of an Alpine image, and how they order its versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.checks import apk
from tests.checks.alpine import Ecr

RELEASE = 'ID=alpine\nVERSION_ID="3.24.2"\n'
OLD = "P:libssl3\nV:3.5.4-r0\no:openssl\n\nP:musl\nV:1.2.6-r2\n\n"
NEW = OLD.replace("3.5.4", "3.5.8")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apk, "_blob", lambda ecr, repository, digest: ecr.blobs[digest])


@pytest.mark.parametrize("folder", ["", "./", "usr/"])
def test_the_last_layer_with_a_database_counts(folder: str) -> None:
    database = f"{folder}lib/apk/db/installed"
    ecr = Ecr({"etc/os-release": RELEASE, database: OLD}, {database: NEW, "srv/page": "hello"})

    found = apk.contents(ecr, "myapp", {"imageTag": "1"})

    assert found is not None
    assert found.branch == "3.24"
    assert found.versions == {"openssl": {"3.5.8-r0"}, "musl": {"1.2.6-r2"}}
    assert "srv/page" in found.paths


def test_an_image_without_a_database_is_not_an_empty_one() -> None:
    assert apk.contents(Ecr({"etc/os-release": RELEASE}), "myapp", {"imageTag": "1"}) is None


def test_no_image_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        apk.contents(Ecr(), "myapp", {"imageDigest": "sha256:none"})


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("9.1-r0", "10.40-r0"),
        ("10.39-r0", "10.40-r0"),
        ("1.1.1-r9", "1.1.1a-r0"),
        ("1.1.1n-r0", "1.1.1t-r0"),
        ("1.1.1t-r1", "1.1.1t-r2"),
        ("1.1.1w-r1", "3.0.2-r0"),
        ("7.80.0-r6", "8.0.1-r0"),
        ("1.2.2-r2", "1.2.2-r10"),
    ],
)
def test_versions_are_in_the_order_of_apk(older: str, newer: str) -> None:
    assert apk.order(older) < apk.order(newer)


@pytest.mark.parametrize("version", ["6.3_p20211120-r0", "1.2.3", "2022a", "1.02-r0", "", "1.a-r0"])
def test_what_cannot_be_compared_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="cannot compare"):
        apk.order(version)


@given(st.text(max_size=12), st.text(max_size=12))
def test_whatever_is_not_refused_can_be_compared(one: str, other: str) -> None:
    try:
        first, second = apk.order(f"{one}-r0"), apk.order(f"1.2{other}-r1")
    except ValueError:
        return
    assert (first < second) != (first >= second)
