"""A new lab is a folder, a notebook and a row: one is added to a copy of the project, and runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labs_helpers.curriculum import LABS

PROJECT = Path(__file__).parents[2]
NUMBER = f"{int(max(LABS)) + 1:02}"
NOTEBOOK = f"{NUMBER}-your-own-lab.ipynb"

PREPARE = '''"""The new lab starts from no repository of its own."""

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.repositories import no_repository

STEPS = (configured(), no_repository("my-lab"))
'''
CHECKS = f'''"""Check of the new lab."""

from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World


@check("{NUMBER}.1")
def repository(world: World) -> Outcome:
    ecr = world.client("ecr")
    try:
        ecr.describe_repositories(repositoryNames=["my-lab"])
    except ecr.exceptions.RepositoryNotFoundException:
        return NotAttempted("the repositories")
    return Passed("my-lab is there.")
'''
QUESTIONS = [
    {
        "id": f"{NUMBER}.q1",
        "question": "How many things is a new lab?",
        "right": "a",
        "choices": {
            "a": {"text": "three", "says": "A folder, a notebook and a row."},
            "b": {"text": "nine", "says": "That was once so."},
        },
    }
]
DIFFERENCES = [
    {
        "id": "my-lab",
        "here": "The lab is in the sandbox.",
        "aws": "The lab is on AWS.",
        "source": "https://docs.aws.amazon.com/AmazonECR/latest/userguide/Repositories.html",
        "test": "tests/labs/test_twelfth_lab.py::test_a_lab_is_a_folder_a_notebook_and_a_row",
    }
]
ROW = f"""        Entry(
            "{NUMBER}",
            "Your own lab",
            "your-own-lab",
            minutes=5,
            goal="make a repository",
        ),
    )
}}
"""
CELLS = [
    new_markdown_cell("# Your own lab\n\n5 minutes"),
    new_code_cell(f'from labs_helpers import start\n\nlab = start("{NUMBER}")'),
    new_code_cell("%%bash\n# your turn", metadata={"tags": ["exercise"]}),
    new_code_cell(f'lab.check("{NUMBER}.1")'),
    new_markdown_cell(
        "<details><summary>Hint 1</summary>\n\nIt is one command.\n\n</details>\n\n"
        "<details><summary>Hint 2</summary>\n\nLook at lab 04.\n\n</details>"
    ),
    new_markdown_cell(
        "<details><summary>Solution</summary>\n\n```bash\n# solution\n"
        "aws ecr create-repository --repository-name my-lab\n```\n\n</details>"
    ),
    new_code_cell(f'lab.hint("{NUMBER}.1", 2)'),
    new_code_cell("%%bash\naws ecr create-repository --repository-name my-lab >created.json"),
    new_code_cell(f'lab.check("{NUMBER}.1")'),
    new_code_cell(f'lab.quiz("{NUMBER}.q1", "a")'),
    new_code_cell("lab.differences()"),
]


OUTPUTS = [
    f"""SANDBOX · lab {NUMBER} · Your own lab
  account   123456789012
  region    us-west-2
  registry  123456789012.dkr.ecr.us-west-2.amazonaws.com
  engine    the labs' own: no Docker daemon is needed
  ready     the AWS CLI is configured as user learner, region us-west-2
            repository my-lab does not exist""",
    f"""○ {NUMBER}.1  not tried yet
  looks at  the repositories""",
    "Look at lab 04.",
    f"✓ {NUMBER}.1  my-lab is there.",
    "✓ right: a) three\n  A folder, a notebook and a row.",
    f"""here    The lab is in the sandbox.
on AWS  The lab is on AWS.
source  {DIFFERENCES[0]["source"]}""",
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project."""
    files = ("README.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "pyproject.toml")
    for name in files:
        shutil.copy(PROJECT / name, tmp_path)
    ignored = shutil.ignore_patterns("mine", ".ipynb_checkpoints")
    for name in ("labs_helpers", "notebooks", "tests", "docs"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=ignored)
    return tmp_path


def add_the_lab(project: Path) -> None:
    """The three steps of CONTRIBUTING, "Add or change a lab"."""
    folder = project / "labs_helpers" / "labs" / f"lab{NUMBER}"
    folder.mkdir()
    (folder / "prepare.py").write_text(PREPARE)
    (folder / "checks.py").write_text(CHECKS)
    (folder / "questions.json").write_text(json.dumps(QUESTIONS))
    (folder / "differences.json").write_text(json.dumps(DIFFERENCES))

    nbformat.write(new_notebook(cells=CELLS), project / "notebooks" / NOTEBOOK)

    curriculum = project / "labs_helpers" / "curriculum.py"
    before, end, after = curriculum.read_text(encoding="utf-8").partition("    )\n}\n")
    assert end
    curriculum.write_text(before + ROW + after, encoding="utf-8")


def run(project: Path, *arguments: str) -> None:
    """Run `python -m` in the copy; fails when the exit code is not 0."""
    ours = ("LABS_", "PYTEST_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    ran = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env={**environ, "PYTHONPATH": str(project)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def shown(notebook: Path) -> list[str]:
    """The outputs of a notebook as text."""
    outputs = [
        output
        for cell in nbformat.read(notebook, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    return [output.data["text/plain"] for output in outputs]


def test_a_lab_is_a_folder_a_notebook_and_a_row(copy: Path) -> None:
    add_the_lab(copy)

    # `make notebooks ARGS=NN`
    run(copy, "labs_helpers.contents")
    run(copy, "labs_helpers.workbook", "--write", NUMBER)

    assert shown(copy / "notebooks" / NOTEBOOK) == OUTPUTS
    readme = (copy / "README.md").read_text(encoding="utf-8")
    assert f"| [{NUMBER} Your own lab](notebooks/{NOTEBOOK}) | 5 | make a repository |" in readme
    start = (copy / "notebooks" / LABS["00"].notebook).read_text(encoding="utf-8")
    assert f"| [{NUMBER} Your own lab]({NOTEBOOK}) | make a repository | 5 |" in start

    # the project's own tests see the lab, and find nothing amiss
    run(
        *(copy, "pytest", "--quiet", "-p", "no:cacheprovider", "tests/notebooks/test_guard.py"),
        *("tests/labs/test_questions.py", "tests/test_contents.py", "tests/test_readme.py"),
    )
