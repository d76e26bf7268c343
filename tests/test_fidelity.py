"""Every difference from AWS that the labs admit is held true by a test that exists."""

import ast
from pathlib import Path

import pytest

from labs_helpers.curriculum import LABS
from labs_helpers.fidelity import Difference, every

PROJECT = Path(__file__).parents[1]
ENTRIES = pytest.mark.parametrize("entry", every(), ids=lambda entry: entry.id)


def names_of_tests(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@ENTRIES
def test_an_entry_names_the_test_that_holds_it_true(entry: Difference) -> None:
    file, _, name = entry.test.partition("::")
    assert (PROJECT / file).is_file(), entry.test
    assert name in names_of_tests(PROJECT / file)


@ENTRIES
def test_an_entry_is_complete(entry: Difference) -> None:
    assert entry.labs
    assert set(entry.labs) <= set(LABS)
    assert entry.here
    assert entry.aws
    assert entry.source.startswith("https://")


def test_ids_are_unique() -> None:
    ids = [entry.id for entry in every()]
    assert len(ids) == len(set(ids))
