"""Notebooks run without a browser: their outputs, their failures, what is kept of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labs_helpers import rehearsal, workbook
from labs_helpers.cli import run
from labs_helpers.files import LabsError
from labs_helpers.workbook import CellFailed, execute, strip
from labs_helpers.workspace import Workspace

WIDGET = "import ipywidgets\nipywidgets.IntSlider()"


def written(path: Path, *cells: Any) -> Path:
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "ipython").mkdir()
    return {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "MARK": "seven"}


def test_it_runs_in_its_folder_with_the_given_environment_and_stays_as_it_is(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = written(
        tmp_path / "x.ipynb",
        new_markdown_cell("# Hello"),
        new_code_cell("import os\nprint(os.environ['MARK'], os.getcwd() == os.environ['HERE'])"),
        new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
        new_code_cell(WIDGET),
        new_code_cell("", outputs=[nbformat.v4.new_output("stream", text="old")]),
    )
    before = path.read_bytes()
    seen: list[tuple[int, int]] = []
    notebook = execute(
        path, environ | {"HERE": str(tmp_path)}, lambda done, count: seen.append((done, count))
    )
    _, printed, failed, drawn, empty = notebook.cells
    assert printed.outputs[0].text == "seven True\n"
    assert failed.outputs[0].ename == "ZeroDivisionError"
    assert workbook.WIDGET_VIEW in drawn.outputs[0].data
    assert empty.outputs == []
    assert seen[-1] == (5, 5)
    assert path.read_bytes() == before

    kept = nbformat.writes(strip(notebook))
    assert workbook.WIDGET_VIEW not in kept
    assert "IntSlider(value=0)" in kept
    assert '"ZeroDivisionError: division by zero"' in kept
    assert str(tmp_path) not in kept
    assert notebook.metadata.language_info == {"name": "python"}
    nbformat.validate(notebook)


def test_a_failing_cell_is_shown_with_number_source_and_error(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = written(
        tmp_path / "x.ipynb",
        new_markdown_cell("# Hello"),
        new_code_cell("a = 1"),
        new_code_cell("raise ValueError('no such thing')"),
        new_code_cell("a = 2"),
    )
    with pytest.raises(CellFailed) as caught:
        execute(path, environ)
    assert str(caught.value) == (
        "x.ipynb, cell 3:\n    raise ValueError('no such thing')\n  ValueError: no such thing"
    )
    assert caught.value.executed.cells[3].execution_count is None


def test_a_kernel_that_dies_is_a_failed_cell(tmp_path: Path, environ: dict[str, str]) -> None:
    path = written(tmp_path / "x.ipynb", new_code_cell("import os\nos._exit(3)"))
    with pytest.raises(CellFailed, match="The kernel died"):
        execute(path, environ)


def test_a_long_cell_is_shown_by_its_ends() -> None:
    source = "\n".join(f"line {number}" for number in range(40))
    shown = str(CellFailed("x.ipynb", 2, source, "E: no", None)).splitlines()
    assert shown[1] == "    line 0"
    assert shown[-2] == "    line 39"
    assert len(shown) < 16


def test_ctrl_c_ends_the_kernel_too(tmp_path: Path, environ: dict[str, str]) -> None:
    source = (
        "import os, time\n"
        "open('pid', 'w').write(str(os.getpid()))\n"
        "open(os.environ['FIFO'], 'w').close()\n"
        "time.sleep(60)"
    )
    path = written(tmp_path / "x.ipynb", new_code_cell(source))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = (
        # what runs the tests may have been started with SIGINT ignored, which is inherited
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "import os, sys; from pathlib import Path; from labs_helpers import workbook;"
        "workbook.execute(Path(sys.argv[1]), dict(os.environ))"
    )
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(
        command, env=environ | {"FIFO": str(fifo)}, stderr=subprocess.PIPE, text=True
    ) as ran:
        fifo.read_text()  # until the cell runs
        kernel = psutil.Process(int((tmp_path / "pid").read_text()))
        ran.send_signal(signal.SIGINT)
        _, said = ran.communicate(timeout=30)
    assert said.splitlines()[-1] == "KeyboardInterrupt"
    assert not kernel.is_running()


def test_labs_by_number(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    workspace = Workspace(tmp_path / "h", tmp_path)
    for name in ("04-create-a-repository.ipynb", "05-log-in.ipynb"):
        (tmp_path / "notebooks" / name).touch()
    assert [path.name[:2] for path in workbook.find(workspace, ["5", "04", "05"])] == ["04", "05"]
    with pytest.raises(LabsError, match="git checkout"):
        workbook.find(workspace)


def test_a_run_works_on_copies_and_goes_on_after_a_failure(
    tmp_path: Path, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(tmp_path / "h", tmp_path)
    workspace.home.mkdir()
    (tmp_path / "notebooks" / "files").mkdir(parents=True)
    (tmp_path / "notebooks" / "files" / "Dockerfile").write_text("FROM scratch\n")
    first = written(tmp_path / "notebooks" / "00-start-here.ipynb", new_code_cell("1 / 0"))
    second = written(
        tmp_path / "notebooks" / "01-aws-cli.ipynb",
        new_code_cell("open('files/Dockerfile').read()"),
    )
    before = first.read_bytes(), second.read_bytes()
    copies = run.copy_notebooks(workspace)
    ran = run.run_all([copies / first.name, copies / second.name], environ, solve=False)
    assert [one.row[0::3] for one in ran] == [("00-start-here", "failed"), ("01-aws-cli", "ok")]
    assert "FROM scratch" in (copies / second.name).read_text()
    assert "ZeroDivisionError" in (copies / first.name).read_text()
    assert (first.read_bytes(), second.read_bytes()) == before
    assert run.copy_notebooks(workspace) != copies


EXERCISE = """\
<details><summary>Solution</summary>

```python
# solution
answer = {answer}
```

</details>"""
LAB = """\
class Lab:
    def check(self, name):
        return "✓ 00.1" if globals().get("answer") == 42 else "✗ 00.1  not yet"

    def __repr__(self):
        return "lab"

lab = Lab()"""
SHOWN = 'print(lab.check("00.1"))'


def with_an_exercise(path: Path, answer: int) -> Path:
    cells = [
        new_code_cell(LAB),
        new_code_cell("answer = None", metadata={"tags": ["exercise"]}),
        new_code_cell(SHOWN),
        new_markdown_cell(EXERCISE.format(answer=answer)),
    ]
    return written(path, *cells)


def test_a_rehearsal_fills_in_the_solutions_and_requires_every_check(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    right = rehearsal.run(with_an_exercise(tmp_path / "00-x.ipynb", 42), environ, solve=True)
    assert (right.failures, right.checks) == ((), {"00.1": "✓ 00.1\n"})
    assert "answer = 42" in (tmp_path / "00-x.ipynb").read_text()
    wrong = rehearsal.run(with_an_exercise(tmp_path / "00-y.ipynb", 41), environ, solve=True)
    assert [str(one) for one in wrong.failures] == [
        "00-y.ipynb: the solution of 00.1 does not pass its check:\n    ✗ 00.1  not yet"
    ]
    found = rehearsal.document([right, wrong], tmp_path)
    assert [lab["checks"] for lab in found["labs"]] == [{"00.1": True}, {"00.1": False}]
    assert (found["passed"], found["labs"][0]["passed"]) == (False, True)
    assert found["labs"][1]["failures"][0]["kind"] == "check"


def test_a_failed_command_is_said_in_its_own_words(tmp_path: Path, environ: dict[str, str]) -> None:
    command = "%%bash\necho before\ncat /no/such/file"
    ran = rehearsal.run(written(tmp_path / "00-x.ipynb", new_code_cell(command)), environ)
    ((failure),) = ran.document()["failures"]
    said = "cat: /no/such/file: No such file or directory"
    assert (failure["kind"], failure["cell"], failure["said"]) == ("cell", 1, said)
    assert f"    cat /no/such/file\n  | {said}\n" in failure["message"]


def test_a_full_disk_is_one_sentence(tmp_path: Path, environ: dict[str, str]) -> None:
    path = written(tmp_path / "00-x.ipynb", new_code_cell("%%bash\necho x > /dev/full"))
    (failure,) = rehearsal.run(path, environ).failures
    assert str(failure) == (
        f"00-x.ipynb, cell 1: no room is left on the disk of {tmp_path}; "
        "free some and run the lab again."
    )
