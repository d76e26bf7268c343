"""What the labs draw, in the themes, at the widths and to the screen readers that learners have."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.driver import chromium, jupyterlab, page, run_all

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LESSON = ".jp-NotebookPanel .jp-RenderedMarkdown, .jp-NotebookPanel .jp-OutputArea-output"
LONG = "sha256:" + "0123456789abcdef" * 8

TEXT = f"""# Drawings

| word | meaning | more |
| --- | --- | --- |
| `{LONG}` | {"words " * 20} | {LONG} |

```mermaid
flowchart LR
    accTitle: You push an image to a repository
    you --> repository
```

```mermaid
sequenceDiagram
    accTitle: Docker shows a token to ECR
    docker->>ecr: token
```

<details><summary>Hint 1</summary>

A long word, {LONG}, and `{LONG}`.

</details>
"""

DRAWINGS = f"""
from datetime import timedelta
from IPython.display import display
from labs_helpers.checks.outcome import CheckError, NotYet, Passed
from labs_helpers.checks.verdict import verdict
from labs_helpers.display import bars, card, registry, why
from labs_helpers.display.rendering import paragraph, table
LONG = "{LONG}"
sandbox = card.Setting("sandbox", "123456789012", "us-west-2", "123456789012.dkr.ecr", "own")
decision = dict(principal="arn:aws:iam::1:user/a", action="ecr:PutImage", resource=LONG)
decision |= dict(outcome="implicitDeny", sentence="", policies=[], statements=[])
decision |= dict(would_allow=dict(Resource=LONG), where="$A and $B of ${{aws:username}}")
for drawing in (
    card.card("lab 99, $A and $B", sandbox, ["bucket labs-$ACCOUNT in $REGION", LONG]),
    verdict("99.1", NotYet("your $A and $B", LONG, "$HOME, $PWD", "`docker push $REGISTRY/a`")),
    verdict("99.2", Passed("it costs $1 or $2", "no $A, no $B")),
    verdict("99.3", CheckError("$A and $B", LONG, "wait")),
    table(("name", "$A and $B", "n"), [(LONG, "words " * 20, "$1 to $2")] * 2, right=(2,)),
    table(
        ("deployment", "task definition", "desired", "running", "pending", "failed", "state"),
        [("PRIMARY", "demo-app:12", "1", "1", "0", "0", "IN_PROGRESS")],
        right=(2, 3, 4, 5),
    ),
    bars.bars([("RUN " + "x" * 90, 10, "10 MB"), ("COPY", 3, "3 MB")]),
    registry.token(registry.Token("AWS", LONG, timedelta(hours=12), "$A and $B", "$C")),
    why.why(decision),
    paragraph("between $A and $B"),
):
    display(drawing)
"""


@pytest.fixture(scope="module")
def drawings() -> Iterator[Page]:
    """A notebook with a drawing of each kind, run in JupyterLab's light theme."""
    chromium()
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    cells = [nbformat.v4.new_markdown_cell(TEXT), nbformat.v4.new_code_cell(DRAWINGS)]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    folder = tempfile.TemporaryDirectory(prefix="lab", dir="/tmp")
    with folder as home, jupyterlab(Path(home)) as url:
        nbformat.write(notebook, Path(home, "my-labs", "drawings.ipynb"))
        address = url.replace("00-start-here", "drawings")
        with page(address) as opened:
            run_all(opened, address)
            expect(opened.locator(".jp-RenderedMermaid img")).to_have_count(2)
            expect(opened.locator(".jp-OutputArea-output")).to_have_count(10)
            yield opened


def use_theme(opened: Page, name: str) -> None:
    opened.get_by_role("menuitem", name="Settings", exact=True).click()
    opened.locator(".lm-Menu-itemLabel", has_text=re.compile("^Theme$")).hover()
    opened.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{name}$")).click()
    expect(opened.locator(f"body[data-jp-theme-name='{name}']")).to_have_count(1)


def faults(opened: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA in the lesson, a line for each rule."""
    found = Axe().run(opened, context=LESSON, options=WCAG).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def wider_than_their_box(opened: Page) -> list[str]:
    """What is wider, but for a table of many columns, which scrolls in its own output.

    https://www.w3.org/WAI/WCAG22/Understanding/reflow.html excepts data tables.
    """
    script = """es => es.filter(e => e.scrollWidth > e.clientWidth)
      .filter(e => getComputedStyle(e).overflowX !== "auto" || !e.querySelector("th:nth-child(7)"))
      .map(e => e.innerText.slice(0, 80))"""
    found: list[str] = opened.locator(LESSON).evaluate_all(script)
    return found


def broken_words(opened: Page) -> list[str]:
    """The words of tables' heads and labels, without code, that stand in more than one line."""
    script = """es => es.flatMap(e => {
      const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT), broken = [];
      while (walk.nextNode())
        for (const word of walk.currentNode.data.matchAll(/\\S+/g)) {
          if (walk.currentNode.parentElement.closest("code")) continue;
          const range = document.createRange();
          range.setStart(walk.currentNode, word.index);
          range.setEnd(walk.currentNode, word.index + word[0].length);
          if (new Set([...range.getClientRects()].map(r => r.top)).size > 1) broken.push(word[0]);
        }
      return broken;
    })"""
    heads = opened.locator(".jp-OutputArea-output th")
    assert heads.count() > 10
    found: list[str] = heads.evaluate_all(script)
    return found


def backgrounds(opened: Page) -> set[str]:
    diagrams: Locator = opened.locator(".jp-RenderedMermaid img")
    script = "es => es.map(e => getComputedStyle(e).backgroundColor)"
    return set(diagrams.evaluate_all(script))


def test_a_dollar_sign_is_no_mathematics(drawings: Page) -> None:
    assert drawings.locator(".jp-OutputArea-output mjx-container").count() == 0
    for text in ("your $A and $B", "docker push $REGISTRY/a", "it costs $1 or $2"):
        expect(drawings.locator(".jp-OutputArea-output", has_text=text)).to_have_count(1)


def test_diagrams_say_what_they_show(drawings: Page) -> None:
    for title in ("You push an image to a repository", "Docker shows a token to ECR"):
        expect(drawings.get_by_role("img", name=title)).to_be_visible()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_breaks_a_rule_of_accessibility_in_a_theme_that_is_switched_live(
    drawings: Page, theme: str
) -> None:
    use_theme(drawings, theme)
    assert faults(drawings) == []


@pytest.mark.parametrize("width", [1280, 640, 600, 480])
def test_no_word_of_a_table_s_head_breaks(drawings: Page, width: int) -> None:
    drawings.set_viewport_size({"width": width, "height": 900})
    assert broken_words(drawings) == []


@pytest.mark.parametrize("width", [1280, 640])
def test_long_words_and_wide_tables_fit_also_at_200_percent(drawings: Page, width: int) -> None:
    # zoom of 200 % halves the width in CSS pixels: https://www.w3.org/TR/WCAG22/#reflow
    drawings.set_viewport_size({"width": width, "height": 900})
    drawings.locator("summary").first.evaluate("e => { e.parentElement.open = true }")
    assert wider_than_their_box(drawings) == []


def test_a_diagram_keeps_the_background_of_the_theme_it_was_drawn_in(drawings: Page) -> None:
    use_theme(drawings, "JupyterLab Dark")
    assert backgrounds(drawings) == {"rgb(255, 255, 255)"}
    drawings.reload()
    expect(drawings.locator(".jp-RenderedMermaid img")).to_have_count(2)
    assert backgrounds(drawings) == {"rgb(17, 17, 17)"}
    use_theme(drawings, "JupyterLab Light")
    assert backgrounds(drawings) == {"rgb(17, 17, 17)"}
