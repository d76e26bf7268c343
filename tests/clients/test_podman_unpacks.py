"""Odd layers, unpacked by a real Podman: what it unpacks is what a scan finds.

Two storage drivers are asked, since they unpack differently: vfs copies the lower layers and
unpacks over them, overlay unpacks each layer alone. Layers for which a scan fails, because one
driver refuses them or the two disagree, are in tests/sandbox/scanner/test_odd_layers.py.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from labs_helpers.sandbox.scanner.inventory import take
from tests.clients.daemons import CONTAINERS_CONF
from tests.engine.engine_room import require
from tests.sandbox.scanner.images import APK, DPKG, store, tar
from tests.sandbox.scanner.odd_layers import ARCHIVES, FAILS, STACKS, Case

Files = dict[str, tuple[bytes, str, bytes]]
"""Type, link target and content by path."""


class Podman:
    """Podman with storage of its own, by driver."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "containers.conf").write_text(CONTAINERS_CONF)

    def unpack(self, driver: str, layers: tuple[bytes, ...]) -> Files | str:
        """The files of an image of these layers, or why Podman refuses it."""
        loaded = self._run(driver, "load", given=_docker_archive(layers))
        if loaded.returncode:
            return loaded.stderr.decode(errors="replace")
        name = loaded.stdout.decode().rpartition(" ")[2].strip()
        try:
            made = self._run(driver, "create", name)
            assert made.returncode == 0, made.stderr
            container = made.stdout.decode().strip()
            exported = self._run(driver, "export", container)
            assert exported.returncode == 0, exported.stderr
            self._run(driver, "rm", container)
        finally:
            self._run(driver, "rmi", "--force", name)
        return _files(exported.stdout)

    def _run(
        self, driver: str, *arguments: str, given: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        storage = self._folder / driver
        return subprocess.run(
            [
                *("podman", f"--root={storage}/root", f"--runroot={storage}/run"),
                *(f"--storage-driver={driver}", *arguments),
            ],
            input=given,
            env={**os.environ, "CONTAINERS_CONF": str(self._folder / "containers.conf")},
            capture_output=True,
            timeout=120,
            check=False,
        )


def _docker_archive(layers: tuple[bytes, ...]) -> bytes:
    """What ``docker save`` writes of an image of these layers."""
    names = [hashlib.sha256(layer).hexdigest() for layer in layers]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["none"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{name}" for name in names]},
    }
    manifest = [
        {
            "Config": "config.json",
            "RepoTags": ["localhost/odd:latest"],
            "Layers": [f"{name}.tar" for name in names],
        }
    ]
    return tar(
        {
            **{f"{name}.tar": layer for name, layer in zip(names, layers, strict=True)},
            "config.json": json.dumps(config),
            "manifest.json": json.dumps(manifest),
        }
    )


def _files(archive: bytes) -> Files:
    found: Files = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as exported:
        for member in exported:
            file = exported.extractfile(member) if member.isreg() else None
            found[member.name] = (member.type, member.linkname, file.read() if file else b"")
            if member.islnk():
                found[member.name] = found[member.linkname]
    return found


def look_up(files: Files, path: str) -> str:
    """Where a path leads in the container's root."""
    waiting, at = path.split("/")[::-1], ""
    for _ in range(1000):
        if not waiting:
            return at
        part = waiting.pop()
        if part in ("", ".", ".."):
            at = at.rpartition("/")[0] if part == ".." else at
            continue
        step = f"{at}/{part}" if at else part
        kind, target, _content = files.get(step, (b"", "", b""))
        if kind == tarfile.SYMTYPE:
            at = "" if target.startswith("/") else at
            waiting += target.split("/")[::-1]
        else:
            at = step
    raise AssertionError(f"{path} leads round in a circle")


def installed(files: Files) -> set[str]:
    """What apk and dpkg would list in the container."""
    paths = [look_up(files, APK), look_up(files, f"usr/{APK}"), look_up(files, DPKG)]
    folder = look_up(files, f"{DPKG}.d")
    paths += [path for path in files if path.startswith(f"{folder}/")]
    found = set()
    for path in paths:
        kind, _, content = files.get(path, (b"", "", b""))
        if kind == tarfile.REGTYPE:
            for record in content.decode().split("\n\n"):
                name = re.search(r"^P(?:ackage)?: ?(\S+)", record, re.MULTILINE)
                version = re.search(r"^V(?:ersion)?: ?(\S+)", record, re.MULTILINE)
                if name and version:
                    found.add(f"{name[1]} {version[1]}")
    return found


def scanned(cases: Mapping[str, Case]) -> list[str]:
    """The names of the cases whose scan does not fail."""
    return [name for name, case in cases.items() if case.found != FAILS]


@pytest.fixture(scope="module")
def unpacker() -> Iterator[Podman]:
    require("podman")
    folder = Path(tempfile.mkdtemp(prefix="labsu"))
    yield Podman(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def drivers(unpacker: Podman) -> list[str]:
    """The storage drivers that work here, found out with a layer that is not odd."""
    answers = {driver: unpacker.unpack(driver, (tar({"a": "b"}),)) for driver in ("vfs", "overlay")}
    found = [driver for driver, answer in answers.items() if not isinstance(answer, str)]
    if len(found) < len(answers):
        message = f"Podman does not unpack here: {answers}"
        if os.environ.get("LABS_REQUIRE_CLIENTS") == "1":
            pytest.fail(message)
        if not found:
            pytest.skip(message)
    return found


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.soak] if number % 3 else [])
        for number, name in enumerate(scanned(ARCHIVES))
    ],
)
def test_a_scan_reads_an_archive_as_podman_does(
    tmp_path: Path, unpacker: Podman, drivers: list[str], name: str
) -> None:
    compare(tmp_path, unpacker, drivers[:1], ARCHIVES[name])


@pytest.mark.parametrize("name", scanned(STACKS))
def test_a_scan_sees_what_podman_unpacks_with_each_driver(
    tmp_path: Path, unpacker: Podman, drivers: list[str], name: str
) -> None:
    """Reported as D3."""
    compare(tmp_path, unpacker, drivers, STACKS[name])


def compare(folder: Path, unpacker: Podman, drivers: list[str], case: Case) -> None:
    """A scan that succeeds finds what every driver has that takes the image, one at least."""
    answers = [unpacker.unpack(driver, case.layers) for driver in drivers]
    lists = [installed(one) for one in answers if not isinstance(one, str)]
    pile = [store(folder, gzip.compress(layer, mtime=0)) for layer in case.layers]
    found = {f"{package.name} {package.version}" for package in take(pile).packages}
    assert found == {case.found}
    assert lists, answers
    assert [found] * len(lists) == lists, answers
