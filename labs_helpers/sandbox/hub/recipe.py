"""Recipes of stand-in images, read from the JSON files in `recipes/` and checked.

A recipe lists the packages of a base image, each with its version and the source of that version,
and has the image's history and configuration. Like the real image, a recipe with a `base` adds its
layers to those of another recipe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

RECIPES: Traversable = files("labs_helpers.sandbox.hub").joinpath("recipes")

PackageFormat = Literal["apk", "dpkg"]


class RecipeError(ValueError):
    """A recipe has a fault; the message names both."""


@dataclass(frozen=True)
class Package:
    """An installed package and its source package, which is the one that advisories name.

    `source_version` differs from `version` for Debian's binary rebuilds (`1.0-1+b1`). `basis` is
    the source of the version.
    """

    name: str
    version: str
    source: str
    source_version: str
    licence: str
    basis: str


@dataclass(frozen=True)
class Entry:
    """A directory, file or symbolic link in a layer; its `path` has no leading slash."""

    path: str
    kind: Literal["directory", "file", "link"]
    mode: int
    content: bytes = b""
    target: str = ""


@dataclass(frozen=True)
class Step:
    """A line of the image's history; a line with packages or entries makes a layer."""

    created_by: str
    packages: tuple[Package, ...]
    entries: tuple[Entry, ...]

    @property
    def makes_layer(self) -> bool:
        return bool(self.packages or self.entries)


@dataclass(frozen=True)
class Recipe:
    """One image, with its repository on Docker Hub (`library/nginx`) and all its tags."""

    name: str
    repository: str
    tags: tuple[str, ...]
    version: str
    title: str
    basis: str
    created: datetime
    media: Literal["oci", "docker"]
    package_format: PackageFormat
    base: Recipe | None
    os_release: Mapping[str, str]
    config: Mapping[str, Any]
    steps: tuple[Step, ...]

    @property
    def packages(self) -> tuple[Package, ...]:
        """All packages of the image, including those of its base, sorted by name."""
        inherited = self.base.packages if self.base else ()
        own = (package for step in self.steps for package in step.packages)
        return tuple(sorted((*inherited, *own), key=lambda package: package.name))


def load(name: str) -> Recipe:
    """The recipe in the file `name`.json; raises RecipeError."""
    try:
        document = json.loads(RECIPES.joinpath(f"{name}.json").read_text(encoding="utf-8"))
        return _recipe(name, document)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise RecipeError(f"recipe {name}: {fault!r}") from fault


@cache
def load_all() -> tuple[Recipe, ...]:
    """All recipes, sorted by name."""
    names = sorted(item.name for item in RECIPES.iterdir() if item.name.endswith(".json"))
    return tuple(load(name.removesuffix(".json")) for name in names)


@cache
def fingerprint() -> str:
    """A sha256 of all recipes and their files. It changes whenever an image may change."""
    whole = sha256()
    for path, content in sorted(_walk(RECIPES, "")):
        whole.update(f"{path}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _walk(item, f"{prefix}{item.name}/")
        else:
            found.append((prefix + item.name, item.read_bytes()))
    return found


def _recipe(name: str, document: Mapping[str, Any]) -> Recipe:
    base = load(document["base"]) if "base" in document else None
    formats = {step["packages"]["format"] for step in document["steps"] if "packages" in step}
    if len(formats) != 1:
        raise RecipeError(f"expected one package format, found {sorted(formats)}")
    return Recipe(
        name=name,
        repository=document["repository"],
        tags=tuple(document["tags"]),
        version=document["version"],
        title=document["title"],
        basis=document["basis"],
        created=datetime.fromisoformat(document["created"]),
        media=document["format"],
        package_format=formats.pop(),
        base=base,
        os_release=base.os_release if base else document["os_release"],
        config=document["config"],
        steps=tuple(_step(step) for step in document["steps"]),
    )


def _step(document: Mapping[str, Any]) -> Step:
    packages = document["packages"]["list"] if "packages" in document else []
    return Step(
        created_by=document["created_by"],
        packages=tuple(_package(package) for package in packages),
        entries=tuple(_entry(entry) for entry in document.get("files", [])),
    )


def _package(document: Mapping[str, str]) -> Package:
    return Package(
        name=document["name"],
        version=document["version"],
        source=document.get("origin") or document["source"],
        source_version=document.get("source_version", document["version"]),
        licence=document.get("licence", ""),
        basis=document["basis"],
    )


def _entry(document: Mapping[str, str]) -> Entry:
    kind = document["kind"]
    if kind == "link":
        return Entry(document["path"], "link", 0o777, target=document["target"])
    mode = int(document["mode"], 8)
    if kind == "directory":
        return Entry(document["path"], "directory", mode)
    if "text" in document:
        content = document["text"].encode()
    else:
        content = RECIPES.joinpath("files", *document["source"].split("/")).read_bytes()
    return Entry(document["path"], "file", mode, content=content)
