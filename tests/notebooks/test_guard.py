"""What a committed notebook must have, and must never contain."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.checks.run import known
from labs_helpers.curriculum import LABS
from labs_helpers.labs.exercises import exercises, without_check
from tests.notebooks import workbook

EVERY = pytest.mark.parametrize("notebook", workbook.NOTEBOOKS, ids=lambda path: path.stem)

SECRETS = {
    "access key id": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"),
    "secret of 40 characters": re.compile(
        # not a digest (hex) and not a path: both are long and harmless
        r"(?<![A-Za-z0-9/+=:_-])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])"
        r"(?=[A-Za-z0-9/+]*\d)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])"
    ),
    "encoded login": re.compile(r"\bQVdTO[A-Za-z0-9+/=]{8,}"),
    "bearer token": re.compile(r"\beyJ[A-Za-z0-9_-]{16,}"),
}
# AWS's own example keys, https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
EXAMPLES = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
MACHINE = re.compile(r"(?<![\w.$>])/(?:home|root|tmp|work|Users|private|var/folders)/[^\s'\"]*")
LOOPBACK = re.compile(r"127\.0\.0\.1:\d+")


def found_in(text: str) -> list[str]:
    """Secrets, machine paths and ports in a text."""
    for example in EXAMPLES:
        text = text.replace(example, "")
    secrets = [f"{what}: {m[0]}" for what, p in SECRETS.items() for m in p.finditer(text)]
    return secrets + [m[0] for p in (MACHINE, LOOPBACK) for m in p.finditer(text)]


def code_cells(notebook: Path) -> list[Any]:
    return [cell for cell in workbook.read(notebook).cells if cell.cell_type == "code"]


def outputs(notebook: Path) -> Iterator[tuple[str, Any]]:
    for cell in code_cells(notebook):
        for output in cell.outputs:
            yield cell.id, output


@pytest.mark.parametrize("title", LABS.values(), ids=lambda title: title.number)
def test_every_lab_has_its_notebook(title: Any) -> None:
    assert (workbook.FOLDER / title.notebook).is_file()


@EVERY
def test_every_code_cell_was_run_in_order(notebook: Path) -> None:
    # nbval never compares a cell without a count
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


@EVERY
def test_cells_have_ids_of_their_own(notebook: Path) -> None:
    book = workbook.read(notebook)
    ids = [cell.get("id") for cell in book.cells]
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    assert all(ids)
    assert len(set(ids)) == len(ids)


@EVERY
def test_no_error_is_shown_that_is_not_meant(notebook: Path) -> None:
    assert [
        fault for cell in workbook.read(notebook).cells for fault in workbook.faults(cell)
    ] == []


@EVERY
def test_a_cell_meant_to_fail_does(notebook: Path) -> None:
    quiet = [
        cell.id
        for cell in code_cells(notebook)
        if "raises-exception" in workbook.tags(cell)
        and not any(
            out.output_type == "error" or out.get("name") == "stderr" for out in cell.outputs
        )
    ]
    assert quiet == []


@EVERY
def test_no_secret_and_no_machine_is_in_it(notebook: Path) -> None:
    shown = [(cell, workbook.text_of(output)) for cell, output in outputs(notebook)]
    shown += [(cell.id, cell.source) for cell in workbook.read(notebook).cells]
    assert {cell: bad for cell, text in shown if (bad := found_in(text))} == {}


@EVERY
def test_no_widget_state_is_kept(notebook: Path) -> None:
    assert "widgets" not in workbook.read(notebook).metadata
    kinds = {kind for _, output in outputs(notebook) for kind in output.get("data", {})}
    assert not {kind for kind in kinds if "widget" in kind}


@EVERY
def test_a_lab_says_what_it_is(notebook: Path) -> None:
    book = workbook.read(notebook)
    number = notebook.name[:2]
    title = LABS[number]
    assert notebook.name == title.notebook
    assert book.cells[0].source.startswith(f"# {title.name}\n")
    assert f"{title.minutes} minutes" in book.cells[0].source
    assert f'start("{number}")' in "".join(cell.source for cell in code_cells(notebook))


@EVERY
def test_an_exercise_has_two_hints_a_solution_and_a_check(notebook: Path) -> None:
    found = exercises(notebook)
    assert without_check(notebook) == [], 'these cells need a cell lab.check("...") after them'
    assert found
    assert sorted(found) == known(notebook.name[:2])
    assert {one.id: len(one.hints) for one in found.values() if len(one.hints) < 2} == {}
    assert [one.id for one in found.values() if not one.solution] == []


@EVERY
def test_exercises_are_committed_undone(notebook: Path) -> None:
    checks = {one.check_cell for one in exercises(notebook).values()}
    done = [
        cell.id
        for cell in code_cells(notebook)
        if cell.id in checks
        and any(workbook.text_of(output).startswith(("✓", "!")) for output in cell.outputs)
    ]
    assert done == []


@pytest.mark.parametrize(
    "text",
    [
        "AKIAQX7L3RZPQOB4H2YK",
        "aws_secret_access_key = 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",
        '"auth": "QVdTOmV5SndZWGxzYjJGa0lqb2k="',
        "cat /home/ada/labs/.labs/docker/config.json",
        "/tmp/labs8f/engine/docker.sock",
        "http://127.0.0.1:4566/v2/",
    ],
)
def test_the_guard_sees_secrets_and_machines(text: str) -> None:
    assert found_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html",
        "COPY index.html /usr/share/nginx/html/",
        ".labs/work/05",
    ],
)
def test_the_guard_lets_a_lesson_be(text: str) -> None:
    assert found_in(text) == []
