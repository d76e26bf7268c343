"""The buildspec of a build: the project's text, a file of the source, or buildspec.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from labs_helpers.buildspec import Buildspec, BuildspecError, read
from labs_helpers.buildspec.model import NotDone
from labs_helpers.buildspec.problems import Problem

_APPLIED = ("/name", "/s3-prefix", "reports")
"""How the paths of keys end that `labs build` passes over and a build of CodeBuild applies."""


def name_of(source: Mapping[str, Any]) -> str:
    """The file of the buildspec of a project's source, as the log names the file."""
    given = source.get("buildspec", "")
    return "buildspec.yml" if not given or _is_text(given) else given


def read_of(source: Mapping[str, Any], folder: Path) -> Buildspec:
    """The buildspec of a source that is in a folder. Raises BuildspecError."""
    given = source.get("buildspec", "")
    spec = read(given.encode() if _is_text(given) else _file(folder, name_of(source)))
    kept = [each for each in spec.not_done if not each.path.endswith(_APPLIED)]
    for name, each in spec.reports.items():
        if each.format != "JUNITXML":
            why = f"reports of JUNITXML are read here, and none of {each.format}"
            kept.append(NotDone(each.line, f"reports/{name}", why))
    read_here = {name: each for name, each in spec.reports.items() if each.format == "JUNITXML"}
    return replace(spec, not_done=tuple(kept), reports=read_here)


def _is_text(buildspec: str) -> bool:
    """Whether a project's buildspec is the text itself, and no path."""
    return "\n" in buildspec or ":" in buildspec or "{" in buildspec


def _file(source: Path, name: str) -> bytes:
    """A buildspec of the source. Raises BuildspecError where there is none inside the source."""
    path = source / name
    if not path.resolve().is_relative_to(source.resolve()) or not path.is_file():
        what, advice = f"there is no file {name} in the source", "Name the file in the project."
        raise BuildspecError([Problem(0, "", what, advice, "YAML file does not exist")])
    return path.read_bytes()
