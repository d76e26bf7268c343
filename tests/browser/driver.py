"""A learner at JupyterLab: `labs lab` in a fresh home, Debian's Chromium in front of it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from labs_helpers.workbook import AS_COMMITTED

ROOT = Path(__file__).parents[2]
PATIENCE = 60_000.0
"""Milliseconds that a page may take: the machine may have much else to do."""
expect.set_options(timeout=PATIENCE)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# no connection is opened that the page did not ask for
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)


def chromium() -> str:
    """The browser's path; without one the test is skipped, or failed where CI requires it."""
    if CHROMIUM:
        return CHROMIUM
    if os.environ.get("LABS_REQUIRE_CLIENTS"):
        pytest.fail("chromium is not installed, and LABS_REQUIRE_CLIENTS asks for every client")
    pytest.skip("chromium is not installed")


@contextmanager
def jupyterlab(folder: Path | None = None) -> Iterator[str]:
    """Run `labs lab --no-browser` as a learner would; gives the URL that it prints.

    ``folder``: an empty folder for LABS_HOME, ``h``, and the workbook, ``my-labs``. Without it, a
    temporary folder.
    """
    # short, for the engine's socket path
    with tempfile.TemporaryDirectory(prefix="lab", dir="/tmp") as home:
        labs = [sys.executable, "-m", "labs_helpers.cli"]
        home = str(folder or home)
        environ = os.environ | {"LABS_HOME": f"{home}/h", "HOME": home} | AS_COMMITTED
        environ |= {"LABS_WORKBOOK": f"{home}/my-labs"}
        command = [*labs, "lab", "--no-browser", "--port=0"]
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            said = []
            assert server.stdout
            for line in server.stdout:
                said.append(line)
                if match := re.search(r"http://127\.0\.0\.1:\d+/lab\S*", line):
                    break
            else:
                raise AssertionError("labs lab ended without an address:\n" + "".join(said))
            yield match[0]
        finally:
            server.terminate()
            server.communicate(timeout=90)
            subprocess.run([*labs, "stop"], env=environ, check=True, capture_output=True)


@contextmanager
def page(url: str) -> Iterator[Page]:
    """The address open in a fresh browser profile, 1280 by 900."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(PATIENCE)
        opened.goto(url)
        yield opened
        browser.close()


def until_kernel_is_idle(url: str) -> None:
    """Poll the server until a kernel is connected and idle (it answers 500 while one starts)."""
    base, _, token = url.partition("/lab")
    query = token.partition("?")[2]
    while True:
        try:
            with urllib.request.urlopen(f"{base}/api/kernels?{query}") as answer:
                if b'"execution_state": "idle"' in answer.read():
                    return
        except urllib.error.HTTPError as error:
            if error.code != 500:
                raise


def until_no_kernel_runs(url: str) -> None:
    """Poll the server until its last kernel is gone."""
    base, _, token = url.partition("/lab")
    query = token.partition("?")[2]
    while True:
        with urllib.request.urlopen(f"{base}/api/kernels?{query}") as answer:
            if answer.read().strip() == b"[]":
                return


def run_all(opened: Page, url: str) -> None:
    """Run every cell by the menu, as a learner may, and return when the last one has run."""
    until_kernel_is_idle(url)
    opened.get_by_role("menuitem", name="Run", exact=True).click()
    opened.get_by_text("Run All Cells", exact=True).click()
    # a number in brackets at the last code cell: it ran
    last = opened.locator(".jp-CodeCell .jp-InputPrompt").last
    expect(last).to_have_text(re.compile(r"\[\d+]:"), timeout=120_000)
