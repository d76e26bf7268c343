"""The real skopeo copies images in and out of the data plane, and of the engine."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.oci import digest, media_types
from tests.engine.engine_room import running
from tests.sandbox.registry.registry_server import RegistryUnderTest, Server, describe


@pytest.fixture(scope="module")
def skopeo() -> str:
    found = shutil.which("skopeo")
    if found is None:
        if os.environ.get("LABS_REQUIRE_CLIENTS") == "1":
            pytest.fail("skopeo is not installed, and LABS_REQUIRE_CLIENTS asks for it")
        pytest.skip("skopeo is not installed")
    return found


@pytest.fixture(scope="module")
def registry_server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def registry(tmp_path: Path, registry_server: Server) -> Iterator[RegistryUnderTest]:
    under_test = RegistryUnderTest(tmp_path / "ecr", registry_server)
    under_test.create("demo")
    yield under_test
    under_test.store.close()


def write_layout(folder: Path) -> str:
    """An OCI layout of one small image tagged v1; returns the manifest's digest."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        member = tarfile.TarInfo("hello.txt")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    layer = gzip.compress(tar.getvalue(), mtime=0)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(tar.getvalue()).hexdigest()}"],
            },
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": describe(media_types.OCI_CONFIG, config),
            "layers": [describe(media_types.OCI_LAYER_GZIP, layer)],
        }
    ).encode()
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for data in (layer, config, manifest):
        (blobs / digest.of_bytes(data).removeprefix("sha256:")).write_bytes(data)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entry = describe(media_types.OCI_MANIFEST, manifest)
    entry["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return digest.of_bytes(manifest)


def run(skopeo: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    policy = ["--insecure-policy"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        [skopeo, *policy, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


def test_an_image_comes_back_as_it_went(
    skopeo: str, registry: RegistryUnderTest, tmp_path: Path
) -> None:
    pushed = write_layout(tmp_path / "layout")
    image = f"docker://127.0.0.1:{registry.server.port}/demo:v1"
    credentials = f"AWS:{registry.token}"

    went = run(
        skopeo,
        tmp_path,
        "copy",
        "--dest-tls-verify=false",
        f"--dest-creds={credentials}",
        f"oci:{tmp_path}/layout:v1",
        image,
    )
    assert went.returncode == 0, went.stderr

    came = run(
        skopeo,
        tmp_path,
        "copy",
        "--src-tls-verify=false",
        f"--src-creds={credentials}",
        image,
        f"dir:{tmp_path}/copy",
    )
    assert came.returncode == 0, came.stderr
    assert digest.of_bytes((tmp_path / "copy" / "manifest.json").read_bytes()) == pushed


def test_tags_are_listed_and_an_image_deleted(
    skopeo: str, registry: RegistryUnderTest, tmp_path: Path
) -> None:
    registry.push_image("v1")
    repository = f"docker://127.0.0.1:{registry.server.port}/demo"
    access = ["--tls-verify=false", f"--creds=AWS:{registry.token}"]

    listed = run(skopeo, tmp_path, "list-tags", *access, repository)
    assert json.loads(listed.stdout)["Tags"] == ["v1"], listed.stderr

    deleted = run(skopeo, tmp_path, "delete", *access, f"{repository}:v1")
    assert deleted.returncode == 0, deleted.stderr
    assert registry.send("GET", "/v2/demo/manifests/v1").status == 404


def test_a_missing_repository_is_named(
    skopeo: str, registry: RegistryUnderTest, tmp_path: Path
) -> None:
    write_layout(tmp_path / "layout")
    went = run(
        skopeo,
        tmp_path,
        "copy",
        "--dest-tls-verify=false",
        f"--dest-creds=AWS:{registry.token}",
        f"oci:{tmp_path}/layout:v1",
        f"docker://127.0.0.1:{registry.server.port}/nowhere:v1",
    )
    assert went.returncode != 0
    assert (
        "The repository with name 'nowhere' does not exist in the registry with id '123456789012'"
        in went.stderr
    )


def test_without_credentials_it_is_unauthorized(
    skopeo: str, registry: RegistryUnderTest, tmp_path: Path
) -> None:
    image = f"docker://127.0.0.1:{registry.server.port}/demo:v1"
    asked = run(skopeo, tmp_path, "inspect", "--tls-verify=false", "--no-creds", image)
    assert asked.returncode != 0
    assert "authentication required" in asked.stderr or "unauthorized" in asked.stderr


def test_the_engines_images_come_and_go_as_a_docker_daemons(skopeo: str, tmp_path: Path) -> None:
    write_layout(tmp_path / "layout")
    with running(tmp_path / "hub") as room:
        socket = f"unix://{room.socket}"
        given = ("copy", "--dest-daemon-host", socket)
        went = run(skopeo, tmp_path, *given, f"oci:{tmp_path}/layout:v1", "docker-daemon:demo:v1")
        assert went.returncode == 0, went.stderr
        (image,) = room.ask("GET", "/images/json").json()
        assert image["RepoTags"] == ["demo:v1"]

        taken = ("copy", "--src-daemon-host", socket)
        came = run(skopeo, tmp_path, *taken, "docker-daemon:demo:v1", f"oci:{tmp_path}/back:v1")
        assert came.returncode == 0, came.stderr
    assert layers(tmp_path / "back") == layers(tmp_path / "layout")


def layers(layout: Path) -> list[str]:
    """The digests of the unpacked layers of a layout's image."""
    found = layout / "index.json"
    for step in (lambda index: index["manifests"][0], lambda manifest: manifest["config"]):
        hexadecimal = step(json.loads(found.read_text()))["digest"].removeprefix("sha256:")
        found = layout / "blobs" / "sha256" / hexadecimal
    return list(json.loads(found.read_text())["rootfs"]["diff_ids"])
