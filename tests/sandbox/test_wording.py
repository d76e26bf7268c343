"""Sentences of AWS's services have their source and its date in one place: SERVICE/wording.toml.

AWS publishes codes and leaves sentences out, so most sources are public reports that quote an
answer. ECR's table is older and in Python: tests/sandbox/ecr/test_wording.py. Held complete are the
error classes that have words; a sentence that is raised where it is needed has a row if a source is
known.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from labs_helpers import sandbox
from labs_helpers.sandbox.service.errors import ServiceError
from tests.engine.sentences import of_tree

ROOT = Path(str(sandbox.__file__)).parent
SERVICES = sorted(path.parent.name for path in ROOT.glob("*/wording.toml"))


def table(service: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / service / "wording.toml").read_text(encoding="utf-8"))


def worded(service: str) -> set[str]:
    """The sentences of a service's error classes."""
    package = importlib.import_module(f"labs_helpers.sandbox.{service}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    found, left = set(), [ServiceError]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__module__.startswith(f"{package.__name__}.") and vars(kind).get("words"):
            found.add(kind.words)
    return found


def said(service: str) -> set[str]:
    """Every text in a service's files."""
    return {
        text
        for path in (ROOT / service).rglob("*.py")
        for _, text in of_tree(ast.parse(path.read_text(encoding="utf-8")))
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_error_with_words_has_a_source_or_is_known_to_have_none(service: str) -> None:
    found = table(service)
    quoted = {text for source in found.get("source", []) for text in source["says"]}
    assert not quoted & set(found["unquoted"])
    assert not worded(service) - quoted - set(found["unquoted"]), (
        f"Sentences without a source: add them to labs_helpers/sandbox/{service}/wording.toml,"
        " below the address of a report or page that quotes AWS, or in `unquoted` if nobody does."
    )
    assert set(found["unquoted"]) <= worded(service)
    assert quoted <= worded(service) | said(service), "rows that the service does not say"


@pytest.mark.parametrize("service", SERVICES)
def test_a_source_is_an_address_with_a_date(service: str) -> None:
    found = table(service)
    for source in found.get("source", []):
        assert re.fullmatch(r"https://[a-z.]+/\S+", source["address"])
        seen = source.get("seen", "2000-01")
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", seen)
        assert seen <= found["read"].isoformat()
