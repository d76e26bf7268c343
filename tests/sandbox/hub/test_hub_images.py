"""The content of the stand-in images, which is the same on every machine."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tarfile
from typing import Any

import pytest

from labs_helpers.oci import digest as digests
from labs_helpers.oci import manifest as manifests
from labs_helpers.sandbox.hub import image, recipe

PINNED = {
    "alpine-3.15": "sha256:81dd25808739dd146d0787568ad90033301cc08c4ae4e829062e228151c251c4",
    "alpine-3.24": "sha256:4569cde7cfd80daaf8599479b710b831ffaa8aade61b923e0c7c10b4a72f745b",
    "debian-12": "sha256:4c0eb53d1489c4814bae63b0f548dcbb6032b4b5b37a48f8e7e5013d87d779be",
    "debian-12.1": "sha256:1d97623c78dacd21bf802e3f087da8d7137d8604462a01f7b2de67a86de8559c",
    "nginx-1.21-alpine": "sha256:8af0e034b7b98a7f46d6719363f81b7af57637b72f3723af7aaab98345ab21f7",
    "nginx-alpine": "sha256:76ead1727b222f43bdd1c2a020d1e1a228c3212f6e88eb735eabb0f1c20208b9",
    "python-3.11-slim-bookworm": (
        "sha256:fb2fbca728509a19cdc18bd51d6e031f635160a033e3544b9b27312a1be5551e"
    ),
    "python-3.12-slim-bookworm": (
        "sha256:5edf4cad82d5dc5e1acb728998b737851aee51608eae4aaac4810dc60d751773"
    ),
    "ubuntu-26.04": "sha256:713ad79e024771d675e86d006b891cecfbc2dd9d4426b35f50a4914fe6f90b1b",
}
"""Committed notebooks print these digests: when one changes, run `make notebooks`."""

RECIPES = [pytest.param(one, id=one.name) for one in recipe.load_all()]


def platforms(built: image.Image) -> dict[str, manifests.Manifest]:
    index = manifests.parse(built.blobs[built.index], None)
    return {
        (member.platform or {})["architecture"]: manifests.parse(built.blobs[member.digest], None)
        for member in index.manifests
    }


def config_of(built: image.Image, manifest: manifests.Manifest) -> dict[str, Any]:
    assert manifest.config is not None
    config: dict[str, Any] = json.loads(built.blobs[manifest.config.digest])
    return config


def files(built: image.Image, manifest: manifests.Manifest) -> dict[str, bytes]:
    """Regular files of the image, upper layers over lower ones."""
    found: dict[str, bytes] = {}
    for layer in manifest.layers:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(built.blobs[layer.digest]))) as tar:
            for member in tar:
                if member.isfile():
                    content = tar.extractfile(member)
                    assert content is not None
                    found[member.name] = content.read()
    return found


def records(text: str, separator: str) -> list[dict[str, str]]:
    return [
        dict(line.split(separator, 1) for line in block.splitlines())
        for block in text.strip().split("\n\n")
    ]


def installed(one: recipe.Recipe, contents: dict[str, bytes]) -> set[tuple[str, str, str, str]]:
    """(name, version, source, source version) read back from the package database."""
    if one.package_format == "apk":
        database = records(contents["lib/apk/db/installed"].decode(), ":")
        return {(entry["P"], entry["V"], entry["o"], entry["V"]) for entry in database}
    found = set()
    for entry in records(contents["var/lib/dpkg/status"].decode(), ": "):
        assert entry["Status"] == "install ok installed"
        name, version = entry["Package"], entry["Version"]
        source, _, source_version = entry.get("Source", name).partition(" (")
        found.add((name, version, source, source_version.rstrip(")") or version))
    return found


def test_the_digests_are_the_ones_that_the_notebooks_print() -> None:
    assert {one.name: image.build(one).index for one in recipe.load_all()} == PINNED


def test_another_process_builds_the_same_bytes() -> None:
    code = (
        "from labs_helpers.sandbox.hub import image, recipe\n"
        "print(image.build(recipe.load('nginx-alpine')).index)"
    )
    other = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert other.stdout.strip() == PINNED["nginx-alpine"]


@pytest.mark.parametrize("one", RECIPES)
def test_every_blob_is_what_its_descriptor_says(one: recipe.Recipe) -> None:
    built = image.build(one)
    for manifest in platforms(built).values():
        assert manifest.config is not None
        for descriptor in (manifest.config, *manifest.layers):
            content = built.blobs[descriptor.digest]
            assert digests.of_bytes(content) == descriptor.digest
            assert len(content) == descriptor.size
        unpacked = [
            digests.of_bytes(gzip.decompress(built.blobs[layer.digest]))
            for layer in manifest.layers
        ]
        assert unpacked == config_of(built, manifest)["rootfs"]["diff_ids"]


@pytest.mark.parametrize("one", RECIPES)
def test_the_package_database_reads_back_to_the_facts(one: recipe.Recipe) -> None:
    built = image.build(one)
    wanted = {(p.name, p.version, p.source, p.source_version) for p in one.packages}
    for manifest in platforms(built).values():
        assert installed(one, files(built, manifest)) == wanted


@pytest.mark.parametrize("one", RECIPES)
def test_every_package_says_where_its_version_was_read(one: recipe.Recipe) -> None:
    assert [package.name for package in one.packages if not package.basis] == []


@pytest.mark.parametrize("one", RECIPES)
def test_an_index_offers_both_platforms(one: recipe.Recipe) -> None:
    built = image.build(one)
    found = platforms(built)
    assert set(found) == {"amd64", "arm64"}
    for architecture, manifest in found.items():
        assert config_of(built, manifest)["architecture"] == architecture


@pytest.mark.parametrize("one", RECIPES)
def test_an_image_says_that_it_is_a_stand_in(one: recipe.Recipe) -> None:
    built = image.build(one)
    config = config_of(built, platforms(built)["amd64"])
    assert config["config"]["Labels"]["labs.stand-in"] == "true"
    assert "stand-in" in config["config"]["Labels"]["org.opencontainers.image.description"].lower()
    assert "stand-in" in config["history"][0]["created_by"]
    assert {line["comment"] for line in config["history"]} == {image.COMMENT}


@pytest.mark.parametrize("one", RECIPES)
def test_history_has_one_line_for_each_layer(one: recipe.Recipe) -> None:
    built = image.build(one)
    manifest = platforms(built)["amd64"]
    config = config_of(built, manifest)
    lines = [line for line in config["history"] if not line.get("empty_layer")]
    assert len(lines) == len(manifest.layers) == len(config["rootfs"]["diff_ids"])


@pytest.mark.parametrize("one", RECIPES)
def test_no_file_is_a_program(one: recipe.Recipe) -> None:
    built = image.build(one)
    for path, content in files(built, platforms(built)["amd64"]).items():
        assert b"\0" not in content, path


def test_nginx_stands_on_the_layers_of_alpine() -> None:
    alpine, nginx = (
        platforms(image.build(recipe.load(name)))["amd64"]
        for name in ("alpine-3.24", "nginx-alpine")
    )
    assert nginx.layers[: len(alpine.layers)] == alpine.layers


def test_nginx_is_configured_as_the_real_one() -> None:
    built = image.build(recipe.load("nginx-1.21-alpine"))
    config = config_of(built, platforms(built)["amd64"])["config"]
    assert config["Entrypoint"] == ["/docker-entrypoint.sh"]
    assert config["Cmd"] == ["nginx", "-g", "daemon off;"]
    assert config["ExposedPorts"] == {"80/tcp": {}}
    assert config["StopSignal"] == "SIGQUIT"
    assert "NGINX_VERSION=1.21.6" in config["Env"]


@pytest.mark.parametrize(
    ("name", "path", "wanted"),
    [
        ("nginx-1.21-alpine", "etc/alpine-release", "3.15.4\n"),
        ("nginx-alpine", "etc/os-release", 'PRETTY_NAME="Alpine Linux v3.24"\n'),
        ("debian-12.1", "etc/debian_version", "12.1\n"),
        ("python-3.12-slim-bookworm", "usr/lib/os-release", 'VERSION_ID="12"\n'),
        ("ubuntu-26.04", "usr/lib/os-release", "ID=ubuntu\n"),
    ],
)
def test_the_release_files_say_which_system_it_is(name: str, path: str, wanted: str) -> None:
    built = image.build(recipe.load(name))
    assert wanted in files(built, platforms(built)["amd64"])[path].decode()


def test_a_missing_recipe_is_named() -> None:
    with pytest.raises(recipe.RecipeError, match="recipe nothing"):
        recipe.load("nothing")
