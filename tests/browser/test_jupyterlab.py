"""What a learner sees on `make lab`: the first lab open, its cells run, the card drawn."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driver import chromium, jupyterlab, page, run_all


@pytest.fixture(scope="module")
def first_lab() -> Iterator[Page]:
    chromium()
    with jupyterlab() as url, page(url) as opened:
        run_all(opened, url)
        yield opened


def test_the_first_lab_opens_without_a_click(first_lab: Page) -> None:
    assert "00-start-here.ipynb" in first_lab.url
    expect(first_lab.get_by_role("heading", name="Start here").first).to_be_visible()


def test_the_card_says_where_you_are(first_lab: Page) -> None:
    expect(
        first_lab.locator(".jp-OutputArea-output", has_text="123456789012.dkr.ecr").first
    ).to_be_visible()


def test_every_cell_ran_without_an_error(first_lab: Page) -> None:
    assert first_lab.locator(".jp-OutputArea-output[data-mime-type*='error']").count() == 0


def test_nothing_pops_up_in_front_of_the_lesson(first_lab: Page) -> None:
    assert first_lab.locator(".jp-Dialog").count() == 0
    assert first_lab.locator(".Toastify__toast").count() == 0
