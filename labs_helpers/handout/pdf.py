"""HTML to PDF by a Chromium of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from labs_helpers.files import LabsError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 180


def browser() -> str | None:
    """The path of a Chromium, None where there is none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def write(chromium: str, page: Path, pdf: Path) -> None:
    """Print a page into a PDF file. Raises LabsError with Chromium's own words."""
    with tempfile.TemporaryDirectory(prefix="labs-pdf-") as profile:
        command = [
            *(chromium, "--headless", "--disable-gpu", "--no-first-run", "--disable-sync"),
            *("--disable-background-networking", "--no-pdf-header-footer"),
            f"--user-data-dir={profile}",
            f"--print-to-pdf={pdf}",
            page.absolute().as_uri(),
        ]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # which Chromium refuses root without
        try:
            ran = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise LabsError(f"{chromium} wrote no PDF in {SECONDS} seconds.") from error
    if ran.returncode or not pdf.is_file():
        said = (ran.stderr.strip().splitlines() or ["nothing"])[-1]
        raise LabsError(f"{chromium} wrote no PDF. It said: {said}")
