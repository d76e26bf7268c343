"""A kernel whose learner interrupts a cell, forgets %%bash, or skips the first cell."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.jupyter import folders
from labs_helpers.workspace import Workspace
from tests.kernels import Kernel, kernel_in
from tests.test_kernel import INSTALL


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernel_in(tmp_path_factory.mktemp("labs")) as opened:
        assert opened.run(INSTALL) == []
        yield opened


@pytest.mark.parametrize("what", ["sleep 600", "trap '' INT; sleep 600; echo on"])
def test_an_interrupted_shell_says_one_sentence_and_nothing_goes_on(
    kernel: Kernel, what: str
) -> None:
    *_, said = kernel.run(f"%%bash\necho begun\n{what}\n", interrupted_at="begun")
    assert said == "Interrupted. Run the cell again to go on."
    asked = "import psutil; [p.name() for p in psutil.Process().children(recursive=True)]"
    (left,) = kernel.run(asked)
    assert "sleep" not in left


PROGRAM = """
import sys, time
print("begun", flush=True)
{before}
time.sleep(600)
"""


@pytest.mark.parametrize("magic", ["%%bash", "%%bash --no-raise-error"])
def test_an_interrupted_program_shows_no_traceback(
    kernel: Kernel, tmp_path: Path, magic: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(before="print('a warning', file=sys.stderr)"))
    shown = kernel.run(f"{magic}\n{sys.executable} {program}\n", interrupted_at="a warning")
    assert "a warning" in "".join(shown)
    assert shown[-1] == "Interrupted. Run the cell again to go on."
    assert "Traceback" not in "".join(shown)


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "ValueError('bad')"])
def test_a_traceback_that_no_interrupt_made_is_shown(
    kernel: Kernel, tmp_path: Path, error: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"raise {error}")
    told = "".join(kernel.run(f"%%bash\n{sys.executable} {program} || true\n"))
    assert told.startswith("Traceback (most recent call last):\n")
    assert told.rstrip().endswith(error.replace("('bad')", ": bad"))


def test_the_traceback_of_another_error_stays_when_the_cell_is_interrupted(
    kernel: Kernel, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text("raise ValueError('bad')")
    cell = f"%%bash\n{sys.executable} {program}\nsleep 600\n"
    told = kernel.run(cell, interrupted_at="ValueError: bad")
    assert "Traceback (most recent call last):" in "".join(told)
    assert told[-1] == "Interrupted. Run the cell again to go on."


WAITS = """
import time
from labs_helpers import checks, deliveries, servers, start
from labs_helpers.curriculum import LABS
from labs_helpers.lab import Lab
from labs_helpers.prepare import Place, beginning
from labs_helpers.workspace import Workspace
def waits(*arguments, **more):
    print("it waits", flush=True)
    while True:  # one sleep might begin after the signal, and would lose the signal
        time.sleep(0.1)
checks.run = deliveries.pipeline = beginning.start_over = servers.start = waits
lab = Lab(LABS["05"], Place(Workspace.find(), "aws", "1", "us-west-2"))
lab.mode = "sandbox"
"""


def test_an_interrupted_call_of_the_labs_says_one_sentence(tmp_path: Path) -> None:
    environ = {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    with kernel_in(tmp_path, environ) as new:
        assert new.run(WAITS) == []
        for call in (
            *("lab.pipeline('app', wait=600)", "lab.check('05.1')", "lab.catch_up('05.1')"),
            *("lab.restart()", "start('05')"),
        ):
            _, *_, said = new.run(call, interrupted_at="it waits")
            assert said == "Interrupted. Run the cell again to go on.", call


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("aws ecr describe-repositories\n", True),
        ("# my try\nNAME=demo\ndocker images\n", True),
        ("docker push $REGISTRY/demo:v1\n", True),
        ("for one in 1 2 3; do\n", True),
        ("for one in (1, 2)\n    print(one)\n", False),
        ("export = {\n", False),
        ("a = 1\nlab.check('05.1'\n", False),
    ],
)
def test_a_forgotten_bash_is_one_kind_sentence(kernel: Kernel, cell: str, kind: bool) -> None:
    (said,) = kernel.run(cell)
    assert ("Write %%bash alone in the cell's first line" in said) == kind, said
    assert ("SyntaxError" in said) != kind


def test_a_shell_before_the_first_cell_says_which_cell_comes_first(tmp_path: Path) -> None:
    folders.place(Workspace(tmp_path).create())
    with kernel_in(tmp_path) as new:
        assert new.run("%%bash\necho fine\n") == ["fine\n"]
        before, said = new.run("%%bash\necho no region\nexit 253\n")
        assert before == "no region\n"
        assert said.startswith("The cell failed, and no lab is there yet. Run the first cell")
        assert new.run(INSTALL) == []
        assert new.run("%%bash\nexit 3\n") == ["The cell ended with exit code 3."]
