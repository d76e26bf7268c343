"""The page of a class, as a file and as served, also to a screen reader and in the dark."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from labs_helpers.cli import main as cli
from tests.browser.driver import QUIET, chromium
from tests.browser.test_rendering import WCAG
from tests.classroom.rooms import class_of, journal, stuck


def written(homes: Path, file: Path) -> Path:
    assert cli.main(["class", "--homes", str(homes), "--page", str(file)]) == 0
    return file


def test_the_page_is_one_file_that_asks_for_no_other(tmp_path: Path) -> None:
    page = written(class_of(tmp_path / "homes"), tmp_path / "page.html").read_text()
    assert re.findall(r"""(?:src|href)=["'](?!data:)""", page) == []
    assert "http" not in page
    assert page.count('<th scope="row">') >= 4


def test_the_page_is_served_to_who_has_the_whole_address(tmp_path: Path) -> None:
    homes = class_of(tmp_path / "homes")
    command = [sys.executable, "-m", "labs_helpers.cli", "class"]
    command += ["--homes", str(homes), "--serve", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            address = serving.stdout.readline().strip()
            with urllib.request.urlopen(address, timeout=60) as answer:
                assert answer.headers["Cache-Control"] == "no-store"
                assert "does not move, 25 min" in answer.read().decode()
            journal(homes / "eve" / ".labs", stuck())
            with urllib.request.urlopen(address, timeout=60) as answer:
                assert "eve" in answer.read().decode()
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(re.sub("/[^/]+/$", "/", address), timeout=60)
            assert refused.value.code == 403
        finally:
            serving.terminate()
            serving.wait(30)


def test_in_a_browser_it_breaks_no_rule_of_accessibility_and_can_be_paused(tmp_path: Path) -> None:
    chromium()
    homes = class_of(tmp_path / "homes")
    journal(homes / "<b>x" / ".labs", stuck())
    file = written(homes, tmp_path / "page.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
        for scheme in schemes:
            opened = browser.new_page(color_scheme=scheme, viewport={"width": 900, "height": 700})
            opened.goto(file.as_uri())
            found = Axe().run(opened, options=WCAG).response["violations"]
            assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == []
            expect(opened.get_by_role("rowheader", name="<b>x").first).to_be_visible()
            dark = opened.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (dark == "rgb(13, 17, 23)") is (scheme == "dark")
            button = opened.get_by_role("button")
            button.click()
            expect(button).to_have_text(re.compile("Refresh again"))
            opened.reload()
            expect(button).to_have_text(re.compile("Refresh again"))
            opened.close()
        browser.close()
