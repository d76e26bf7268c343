"""An image whose layers are not those of its configuration is never clean, whichever engine scans.

A container runtime refuses such an image; `labs gate` fails on each.
"""

import gzip
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.gate import Rules, fetch, judge, parse
from labs_helpers.gate.verdict import INCOMPLETE
from labs_helpers.oci import media_types
from tests.sandbox.ecr.operations.ecr_api import Ecr
from tests.sandbox.ecr.operations.scans import Scans
from tests.sandbox.scanner.images import ALPINE, APK, apk, tar

LAYER = tar({"etc/os-release": ALPINE, APK: apk("zlib 1.3.1-r2")})
OTHER = tar({"etc/os-release": ALPINE})
CLEAN = {"Metadata": {"OS": {"Family": "alpine", "Name": "3.24.2"}}, "Results": []}


def diff_id(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def config(*diff_ids: Any) -> Any:
    return {"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": list(diff_ids)}}


@pytest.fixture(params=["labs", "trivy"])
def scans(request: pytest.FixtureRequest, demo: Ecr, tmp_path: Path) -> Scans:
    """Each engine; the trivy here says that any image is clean, and notes that it was asked."""
    program = tmp_path / "bin" / "trivy"
    program.parent.mkdir()
    packages = [{"Name": "zlib", "Version": "1.3.1-r2", "SrcName": "zlib"}]
    found = {**CLEAN, "Results": [{"Class": "os-pkgs", "Type": "alpine", "Packages": packages}]}
    program.write_text(f"#!/bin/sh\necho '{json.dumps(found)}'\n")
    program.chmod(0o755)
    return Scans(demo, environ={"LABS_SCANNER": request.param, "PATH": str(program.parent)})


def scanned(scans: Scans) -> tuple[object, object]:
    scans.start()
    scans.run()
    return scans.status()


def gate_of(scans: Scans) -> int:
    class Client:
        @staticmethod
        def describe_image_scan_findings(**request: Any) -> dict[str, Any]:
            return scans.ecr("DescribeImageScanFindings", **request)

    return judge(fetch(Client(), parse("demo:v1")), Rules(), (), date(2026, 11, 2)).exit_code


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_layers_that_are_those_of_the_configuration_are_judged(
    scans: Scans, algorithm: str
) -> None:
    named = config(diff_id(LAYER, algorithm))
    scans.put_parts("demo", "v1", named, [gzip.compress(LAYER)])
    assert scanned(scans)[0] == "COMPLETE"


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (config(diff_id(OTHER)), "does not unpack to"),
        (config(diff_id(gzip.compress(LAYER, mtime=0))), "does not unpack to"),
        (config(), "has 1 layers and its configuration has 0 diff_ids"),
        (config(diff_id(LAYER), diff_id(LAYER)), "has 1 layers and its configuration has 2"),
        (config("md5:0"), "no list rootfs.diff_ids"),
        (config(7), "no list rootfs.diff_ids"),
        ({"rootfs": {"diff_ids": None}}, "no list rootfs.diff_ids"),
        ({"rootfs": []}, "no list rootfs.diff_ids"),
        ({"architecture": "amd64"}, "no list rootfs.diff_ids"),
        ([], "no list rootfs.diff_ids"),
        (b"not json", "no list rootfs.diff_ids"),
        (b"[" * 100_000, "no list rootfs.diff_ids"),
    ],
)
def test_other_layers_fail_the_scan_and_the_gate(scans: Scans, named: Any, words: str) -> None:
    scans.put_parts("demo", "v1", named, [gzip.compress(LAYER, mtime=0)])
    status, description = scanned(scans)
    assert status == "FAILED"
    assert words in str(description)
    assert gate_of(scans) == INCOMPLETE


def test_what_follows_the_archive_belongs_to_the_diff_id(scans: Scans) -> None:
    packed = gzip.compress(LAYER) + gzip.compress(b"more")
    scans.put_parts("demo", "v1", config(diff_id(LAYER)), [packed])
    assert scanned(scans)[0] == "FAILED"
    assert gate_of(scans) == INCOMPLETE


def test_the_order_of_layers_counts(scans: Scans) -> None:
    packed = [gzip.compress(LAYER), gzip.compress(OTHER)]
    scans.put_parts("demo", "v1", config(diff_id(OTHER), diff_id(LAYER)), packed)
    assert scanned(scans)[0] == "FAILED"
    assert gate_of(scans) == INCOMPLETE


@pytest.mark.parametrize("media_type", sorted(media_types.FOREIGN_LAYERS))
def test_a_foreign_layer_fails_the_scan_and_the_gate(scans: Scans, media_type: str) -> None:
    """Also when the registry holds a blob of that digest: nobody pushed it as this layer."""
    foreign = {"mediaType": media_type, "urls": ["https://example.com/layer"]}
    packed = [gzip.compress(LAYER)]
    scans.put_parts("demo", "v1", config(diff_id(LAYER)), packed, **foreign)
    status, description = scanned(scans)
    assert status == "FAILED"
    assert "foreign layer" in str(description)
    assert gate_of(scans) == INCOMPLETE


def test_a_layer_of_another_size_fails_the_scan_and_the_gate(scans: Scans) -> None:
    scans.put_parts("demo", "v1", config(diff_id(LAYER)), [gzip.compress(LAYER)], size=3)
    status, description = scanned(scans)
    assert status == "FAILED"
    assert "and the manifest says 3" in str(description)
    assert gate_of(scans) == INCOMPLETE
