"""The first lab in JupyterLab: open on `make lab`, its cells run, the card drawn.

And a question of the lab: answered by a click or a key, kept, alive after everything.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.driver import (
    chromium,
    jupyterlab,
    page,
    run_all,
    until_kernel_is_idle,
    until_no_kernel_runs,
)


@pytest.fixture(scope="module")
def lab() -> Iterator[tuple[Page, str]]:
    chromium()
    with jupyterlab() as url, page(url) as opened:
        run_all(opened, url)
        yield opened, url


def test_the_first_lab_opens_without_a_click(lab: tuple[Page, str]) -> None:
    opened, _ = lab
    assert "00-start-here.ipynb" in opened.url
    expect(opened.get_by_role("heading", name="Start here").first).to_be_visible()


def test_the_card_says_where_you_are(lab: tuple[Page, str]) -> None:
    opened, _ = lab
    expect(
        opened.locator(".jp-OutputArea-output", has_text="123456789012.dkr.ecr").first
    ).to_be_visible()


def test_every_cell_ran_without_an_error(lab: tuple[Page, str]) -> None:
    opened, _ = lab
    assert opened.locator(".jp-OutputArea-output[data-mime-type*='error']").count() == 0


def test_nothing_pops_up_in_front_of_the_lesson(lab: tuple[Page, str]) -> None:
    opened, _ = lab
    assert opened.locator(".jp-Dialog").count() == 0
    assert opened.locator(".Toastify__toast").count() == 0


def question(opened: Page) -> Locator:
    return opened.locator('.jp-OutputArea-output [data-labs-question="00.q1"]').last


def choice(opened: Page, letter: str) -> Locator:
    return question(opened).locator(f'details[data-labs-answer="{letter}"]')


def ask_again(opened: Page) -> None:
    """Run the question's cell again."""
    cell = opened.locator(".jp-CodeCell", has_text='lab.quiz("00.q1")').last
    cell.locator(".cm-content").first.click()
    opened.keyboard.press("Control+Enter")


def test_an_answer_is_shown_and_kept(lab: tuple[Page, str]) -> None:
    opened, _ = lab
    choice(opened, "a").locator("summary").click()
    expect(choice(opened, "a")).to_contain_text("✗ not this one")
    ask_again(opened)
    expect(question(opened)).to_contain_text("You answered a")


def test_the_keyboard_alone_answers(lab: tuple[Page, str]) -> None:
    opened, _ = lab
    choice(opened, "c").locator("summary").focus()
    opened.keyboard.press("Enter")
    expect(choice(opened, "c")).to_contain_text("✓ right")
    ask_again(opened)
    expect(question(opened)).to_contain_text("You answered c")


def test_a_question_is_alive_in_another_kernel(lab: tuple[Page, str]) -> None:
    opened, url = lab
    opened.get_by_role("menuitem", name="Kernel", exact=True).click()
    opened.get_by_text("Restart Kernel…", exact=True).click()
    opened.locator(".jp-Dialog .jp-mod-accept").click()
    until_kernel_is_idle(url)
    choice(opened, "b").locator("summary").click()
    expect(choice(opened, "b")).to_contain_text("✗ not this one")
    # kept by the new kernel, in which the first cell has not run
    run_all(opened, url)
    expect(question(opened)).to_contain_text("You answered b")


def test_a_question_is_alive_after_a_reload(lab: tuple[Page, str]) -> None:
    opened, url = lab
    opened.locator(".jp-CodeCell .cm-content").first.click()
    opened.keyboard.press("Control+s")
    expect(opened.locator(".jp-mod-dirty")).to_have_count(0)
    opened.reload()
    until_kernel_is_idle(url)
    # the answer of the test before, without any cell run again
    expect(choice(opened, "b")).to_have_attribute("open", "")
    expect(question(opened)).to_contain_text("You answered b")
    choice(opened, "a").locator("summary").click()
    expect(choice(opened, "a")).to_contain_text("✗ not this one")
    ask_again(opened)
    expect(question(opened)).to_contain_text("You answered a")
    assert opened.get_by_text("Error displaying widget").count() == 0


def test_a_question_is_alive_without_a_kernel(lab: tuple[Page, str]) -> None:
    opened, url = lab
    opened.get_by_role("menuitem", name="Kernel", exact=True).click()
    opened.get_by_text("Shut Down Kernel", exact=True).click()
    until_no_kernel_runs(url)
    choice(opened, "c").locator("summary").click()
    expect(choice(opened, "c")).to_contain_text("✓ right")
