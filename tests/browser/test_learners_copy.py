"""The learner's workbook in JupyterLab: links, the folder of a lab, terminals, coming back."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from labs_helpers.learners_copy import opening
from labs_helpers.workspace import Workspace
from tests.browser.driver import ROOT, chromium, jupyterlab, page, until_kernel_is_idle


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    chromium()
    with tempfile.TemporaryDirectory(prefix="lab", dir="/tmp") as home:
        yield Path(home)


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with jupyterlab(folder) as address:
        yield address


@pytest.fixture(scope="module")
def learner(url: str) -> Iterator[Page]:
    """At lab 06, reached by the map in 00."""
    with page(url) as opened:
        until_kernel_is_idle(url)
        opened.locator(".jp-RenderedMarkdown a", has_text="06 Build an image").click()
        expect(opened.get_by_role("heading", name="Build an image").first).to_be_visible()
        yield opened


def notebook(learner: Page) -> Locator:
    return learner.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")


def run_cell(learner: Page, source: str) -> Locator:
    """Write a source into the first code cell of lab 06, run it, and give its output."""
    cell = notebook(learner).locator(".jp-CodeCell").first
    cell.locator(".cm-content").click()
    learner.keyboard.press("Control+a")
    learner.keyboard.insert_text(source)
    learner.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+]:"), timeout=60_000)
    return cell.locator(".jp-OutputArea")


def test_the_browser_shows_the_folder_of_the_lab_with_its_files(learner: Page) -> None:
    files = learner.locator(".jp-DirListing-itemName")
    expect(files.filter(has_text=re.compile(r"^Dockerfile$"))).to_be_visible()
    expect(files.filter(has_text="06-build.ipynb")).to_be_visible()


def test_a_notebook_is_as_nobody_has_run_it(learner: Page) -> None:
    assert notebook(learner).locator(".jp-CodeCell").count() > 5
    assert notebook(learner).locator(".jp-OutputArea-output").count() == 0
    prompts = notebook(learner).locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
    assert {prompt.replace(" ", "") for prompt in prompts} == {"[]:"}


def test_a_cell_works_in_the_folder_of_the_lab(learner: Page, folder: Path) -> None:
    shown = run_cell(
        learner,
        'from labs_helpers import start\nimport os\nlab = start("06")\nprint("in", os.getcwd())',
    )
    expect(shown).to_contain_text(f"in {folder}/my-labs/06-build", timeout=60_000)
    # a card with its frame: the notebook is trusted
    border = shown.locator("div", has_text="SANDBOX").last.evaluate(
        "e => getComputedStyle(e.closest('[style*=border]')).borderLeftWidth"
    )
    assert border == "6px"


def test_a_file_that_is_edited_in_the_file_browser_is_what_the_cells_use(
    learner: Page, folder: Path
) -> None:
    learner.locator(".jp-DirListing-itemName", has_text=re.compile(r"^Dockerfile$")).dblclick()
    editor = learner.locator(".jp-FileEditor .cm-content")
    editor.click()
    learner.keyboard.press("Control+a")
    learner.keyboard.insert_text("# edited by the learner")
    learner.keyboard.press("Control+s")
    expect(learner.locator(".jp-mod-current.jp-mod-dirty")).to_have_count(0)
    learner.get_by_role("tab", name="06-build.ipynb").click()
    shown = run_cell(learner, "print(open('Dockerfile').read())")
    expect(shown).to_contain_text("edited by the learner")


def test_git_in_a_terminal_finds_no_repository(learner: Page, folder: Path) -> None:
    learner.get_by_role("menuitem", name="File", exact=True).click()
    learner.locator(".lm-Menu-itemLabel", has_text=re.compile("^New$")).hover()
    learner.locator(".lm-Menu-itemLabel", has_text=re.compile("^Terminal$")).click()
    terminal = learner.locator(".jp-Terminal")
    expect(terminal).to_be_visible()
    terminal.click()
    said = folder / "said"
    learner.keyboard.type(f"(pwd; git log) > {said} 2>&1; cd 05-log-in; git log 2>> {said}; exit\n")
    expect(terminal).to_have_count(0)
    first, *rest = said.read_text().splitlines()
    assert first == f"{folder}/my-labs"
    assert sum("not a git repository" in line for line in rest) == 2


def test_an_update_leaves_a_notebook_alone_that_is_open_with_unsaved_words(
    learner: Page, folder: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "notebooks", project / "notebooks")
    for name in ("06-build.ipynb", "07-push-and-pull.ipynb"):
        changed = project / "notebooks" / name
        text = changed.read_text().replace("# Build an", "# Make an", 1)
        changed.write_text(text.replace("# Push and", "# Send and", 1))
    learner.get_by_role("tab", name="06-build.ipynb").click()
    run_cell(learner, "print('not saved yet')")
    before = (folder / "my-labs/06-build/06-build.ipynb").read_bytes()
    said: list[str] = []

    named = {"LABS_WORKBOOK": f"{folder}/my-labs"}
    opening.up_to_date(Workspace(folder / "h", project), said.append, named)

    assert (folder / "my-labs/06-build/06-build.ipynb").read_bytes() == before
    assert "06-build/06-build.ipynb is as it was." in said
    assert "# Send and" in (folder / "my-labs/07-push-and-pull/07-push-and-pull.ipynb").read_text()
    learner.keyboard.press("Control+s")
    expect(learner.locator(".jp-mod-current.jp-mod-dirty")).to_have_count(0)
    assert "not saved yet" in (folder / "my-labs/06-build/06-build.ipynb").read_text()


def test_back_in_the_workbook_what_was_run_is_there_and_trusted(
    learner: Page, url: str, folder: Path
) -> None:
    learner.get_by_role("tab", name="06-build.ipynb").click()
    run_cell(learner, 'lab = start("06")')
    learner.keyboard.press("Control+s")
    expect(learner.locator(".jp-mod-current.jp-mod-dirty")).to_have_count(0)
    saved = json.loads((folder / "my-labs/06-build/06-build.ipynb").read_text())
    assert "begun earlier" in json.dumps(saved)
    assert learner.context.browser
    again = learner.context.browser.new_context().new_page()
    again.goto(url.replace("00-start-here.ipynb", "06-build/06-build.ipynb"))
    card = notebook(again).locator(".jp-OutputArea-output", has_text="SANDBOX")
    expect(card).to_be_visible()
    assert card.locator("[style*='border-left']").count() == 1
