"""`labs handout` writes labs for paper: nothing hidden, nothing cut, nothing from a network."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labs_helpers.cli import main as cli
from labs_helpers.curriculum import LABS, data
from labs_helpers.handout.sheet import html, sheet
from labs_helpers.labs.exercises import exercises
from labs_helpers.own_names import OwnNames
from labs_helpers.workspace import Workspace
from tests.browser.driver import QUIET, chromium

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NOTEBOOK_00 = (NOTEBOOKS / LABS["00"].notebook).read_text(encoding="utf-8")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


@cache
def made(number: str, solutions: bool = False, only: str | None = None) -> str:
    lab = LABS[number]
    path = NOTEBOOKS / lab.notebook
    return html(sheet(path, lab, OwnNames(), solutions, only), path.parent)


def shown(page: str) -> str:
    """The words of a page."""
    return re.sub(r"<[^>]+>", "", page.partition("</head>")[2])


def test_without_solutions_there_is_none_and_with_them_they_stand_at_the_end() -> None:
    without, with_them = made("05"), made("05", solutions=True)
    assert "# solution" not in shown(without)
    assert "Solution" not in shown(without)
    assert shown(with_them).count("# solution") == len(exercises(NOTEBOOKS / LABS["05"].notebook))
    before, end = with_them.split('<h1 id="Solutions">')
    assert "# solution" not in shown(before)
    assert re.findall(r">(05\.\d)<", end) == ["05.1", "05.2"]


def test_every_solution_of_every_lab_can_be_left_out() -> None:
    for number, lab in LABS.items():
        path = NOTEBOOKS / lab.notebook
        without = sheet(path, lab, OwnNames())
        assert "# solution" not in "".join(str(cell.source) for cell in without.cells), number
        found = sheet(path, lab, OwnNames(), solutions=True).solutions
        assert [key for key, _ in found] == list(exercises(path)), number


def test_one_exercise_alone_has_its_text_its_hints_and_its_solution() -> None:
    page = shown(made("05", solutions=True, only="05.2"))
    for words in ("Your turn 2", "Hint 2", "# solution", 'lab.check("05.2")'):
        assert words in page
    for words in ("Your turn 1", "05.1", "Stuck?", "The problem"):
        assert words not in page


def test_hints_are_open_and_no_script_and_no_file_is_asked_for() -> None:
    page = made("05")
    assert "<p><strong>Hint 1</strong></p>\n<p>Take the login line" in page
    assert "<details" not in page
    assert "<script" not in page
    assert re.findall(r"""<(?:link|img|iframe)[^>]+(?:src|href)=["'](?!data:)""", page) == []
    assert "pre-wrap" in page


def test_questions_have_their_answers_and_what_these_teach_with_the_solutions_only() -> None:
    (choices,) = (one["choices"] for one in data("05", "questions") if one["id"] == "05.q1")
    without, with_them = shown(made("05")), shown(made("05", solutions=True))
    for choice in choices.values():
        assert choice["text"] in without
        assert (choice["says"] in without, choice["says"] in with_them) == (False, True)


def test_paper_does_not_say_how_to_answer_in_a_notebook() -> None:
    for page in (shown(made("05")), shown(made("05", solutions=True))):
        assert "Open an answer" not in page
        assert "To keep this answer" not in page


def test_a_diagram_has_its_title_and_its_text() -> None:
    page = shown(made("05"))
    assert "The aws command gets a token from ECR and hands it to docker" in page
    assert "docker-&gt;&gt;ecr: push and pull with the token" in page


def test_pictures_are_in_the_file_and_tagged_cells_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "dot.png").write_bytes(PIXEL)
    cells = [
        new_markdown_cell("# A\n\n![a dot](dot.png)"),
        new_markdown_cell("the answer is 42", metadata={"tags": ["solution"]}),
        new_code_cell("1", outputs=[new_output("stream", text="x" * 400)]),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "x.ipynb")
    found = sheet(tmp_path / "x.ipynb", LABS["05"], OwnNames())
    page = html(found, tmp_path)
    assert 'src="data:image/png;base64,' in page
    assert "the answer is 42" not in page
    with_it = sheet(tmp_path / "x.ipynb", LABS["05"], OwnNames(), solutions=True)
    assert "the answer is 42" in html(with_it, tmp_path)


HOSTILE = """# Hello

![a](../private.png) <img src='../private.png' onerror="document.title='ran'"> ![b](PRIVATE)

<script>document.title='ran'
</script><svg onload="document.title='ran'"></svg><body onload="document.title='ran'">
<iframe src="http://127.0.0.1:PORT/frame"></iframe><img src="http://127.0.0.1:PORT/x.png">
<link rel="stylesheet" href="http://127.0.0.1:PORT/x.css">
<meta http-equiv="refresh" content="0;url=x">
<style>@import url(http://127.0.0.1:PORT/y.css);</style><base href="http://127.0.0.1:PORT/">

![c](link.png) ![d](..%2Fprivate.png)
"""


def hostile(tmp_path: Path, port: int) -> str:
    """The sheet of a notebook that somebody else wrote."""
    private = tmp_path / "private.png"
    private.write_bytes(PIXEL)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "link.png").symlink_to(private)
    text = HOSTILE.replace("PRIVATE", str(private)).replace("PORT", str(port))
    outputs = [
        new_output("display_data", {"text/html": "<img src=x onerror=document.title='ran'>"}),
        new_output("display_data", {"application/javascript": "document.title='ran'"}),
        new_output("display_data", {"image/svg+xml": "<svg onload=document.title='ran'></svg>"}),
    ]
    cells = [new_markdown_cell(text), new_code_cell("1", outputs=outputs)]
    nbformat.write(new_notebook(cells=cells), folder / "x.ipynb")
    return html(sheet(folder / "x.ipynb", LABS["05"], OwnNames()), folder)


def test_no_file_beside_the_notebook_s_folder_becomes_a_part(tmp_path: Path) -> None:
    assert base64.b64encode(PIXEL).decode() not in hostile(tmp_path, 9)


def test_what_a_notebook_brings_runs_nowhere_and_asks_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        page = tmp_path / "page.html"
        page.write_text(hostile(tmp_path, listener.getsockname()[1]), encoding="utf-8")
        flags = (*QUIET, "--headless", f"--user-data-dir={tmp_path}/profile")
        done = subprocess.run(
            [chromium(), *flags, "--dump-dom", page.as_uri()],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert "<title>Lab 05" in done.stdout
    assert ">Hello<" in done.stdout


def test_diagrams_are_drawn_and_a_pdf_is_written_where_there_is_a_chromium(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chromium()
    assert cli.main(["handout", "00", "--folder", str(tmp_path)]) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [file.name for file in files] == ["00-start-here.html", "00-start-here.pdf"]
    assert files[1].read_bytes().startswith(b"%PDF-")
    page = files[0].read_text()
    assert page.count("<figure><svg") == NOTEBOOK_00.count("```mermaid") > 0
    assert "flowchart" not in shown(re.sub("<style>.*?</style>", "", page, flags=re.DOTALL))


def test_without_a_chromium_the_html_is_there_and_said(
    workspace: Workspace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["handout", "5", "--folder", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert said.out.strip().endswith("05-log-in.html")
    assert "No PDF: there is no chromium on this machine." in said.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["99"], "There is no lab '99'."),
        (["--exercise", "99.1"], "There is no exercise '99.1'."),
        (["--exercise", "05.9"], "There is no exercise '05.9'. This lab has: 05.1, 05.2."),
    ],
)
def test_what_is_not_there_is_said(
    arguments: list[str], said: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["handout", "--no-pdf", *arguments]) == 1
    assert capsys.readouterr().err.startswith(said)
