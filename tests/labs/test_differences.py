"""Every difference from AWS that the labs admit is held true by a test, and so is every count."""

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from labs_helpers.curriculum import LABS
from labs_helpers.labs.differences import Difference, every, of_lab
from labs_helpers.sandbox.authorization.tables import arn_formats, table
from labs_helpers.sandbox.iam import managed

PROJECT = Path(__file__).parents[2]
ENTRIES = {entry.id: entry for entry in every()}
EACH = pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.id)


def managed_policies() -> str:
    """Rounded: the text says "some" and "about"."""
    from moto.iam import aws_managed_policies

    # a sandbox in this process may have put a module of its own in the place of moto's
    whole = Path(str(aws_managed_policies.__file__)).read_text(encoding="utf-8")
    of_aws = json.loads(ast.literal_eval(whole.partition("aws_managed_policies_data = ")[2]))
    words = {100: "a hundred"}
    here = words.get(round(len(managed.policies()), -2), "another number")
    return f"Of some {len(of_aws) // 100 * 100} managed policies of AWS about {here} are here"


COUNTS: dict[str, Callable[[], str]] = {
    "iam-managed-subset": managed_policies,
}
"""What an entry has to say when it counts something of the code, by the entry's id."""

FIXED = {
    "07": "the lab",
    "1": "a version of Docker's manifests",
    "12": "hours of a token, which the named test lets pass",
    "127.0.0.1": "an address",
    "1970": "a year",
    "3": "a version of CVSS",
    "3.15": "a version of Alpine",
    "50": "years since the one date of all images",
}
"""Numbers in entries that count nothing of the code."""


def names_of_tests(file: Path) -> set[str]:
    """The names of a file's tests."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {name for name in names if name.startswith("test_")}


@EACH
def test_an_entry_names_the_test_that_holds_it_true(entry: Difference) -> None:
    file, _, name = entry.test.partition("::")
    assert (PROJECT / file).is_file(), entry.test
    assert name in names_of_tests(PROJECT / file)


@EACH
def test_an_entry_is_complete(entry: Difference) -> None:
    assert set(entry.also) <= set(LABS) - {entry.lab}
    assert entry.here
    assert entry.aws
    assert entry.source.startswith("https://")


def test_ids_are_unique() -> None:
    assert len(ENTRIES) == len(every())


@pytest.mark.parametrize("entry_id", COUNTS)
def test_a_count_is_that_of_the_code(entry_id: str) -> None:
    assert COUNTS[entry_id]() in ENTRIES[entry_id].here


@EACH
def test_every_number_is_counted_or_fixed(entry: Difference) -> None:
    counted = COUNTS[entry.id]() if entry.id in COUNTS else ""
    numbers = re.findall(r"(?<![\w.-])\d+(?:\.\d+)*", entry.here.replace(counted, ""))
    assert set(numbers) <= set(FIXED), (
        f"{entry.id} has a number in it: compute it in COUNTS, or list it in FIXED"
    )


def test_the_services_that_are_listed_are_those_whose_keys_are_known() -> None:
    here = ENTRIES["iam-keys-of-listed-services"].here
    listed = re.split(r", | and ", here.partition("those of ")[2].partition(". ")[0])
    with_keys = {
        service
        for service in arn_formats()
        if any("keys" in row for row in table(service).values())
    }
    # ecr/service.py, authorization/s3.py and iam.py know the keys of these
    assert {name.lower() for name in listed} == with_keys | {"ecr", "s3", "sts"}


def test_a_lab_shows_its_own_entries_and_those_that_name_the_lab() -> None:
    shown = [(entry.lab, entry.id) for entry in of_lab("06")]
    assert shown == [
        *(("06", entry.id) for entry in every() if entry.lab == "06"),
        ("03", "hub-stand-ins"),
    ]
