"""A question in JupyterLab: answered by a click or a key, kept, alive after everything."""

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
