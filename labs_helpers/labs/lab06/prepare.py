"""Lab 06 starts from no image of its own, and from the lab's files as they came."""

import shutil
from contextlib import suppress

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import IN_ECR, no_local_images
from labs_helpers.prepare.step import Place, Step

_MADE = (
    ".dockerignore",
    "notes.txt",
    "Dockerfile.notes",
    "Dockerfile.prod",
    "site/drafts/measurements.csv",
)
"""Files that the lab's cells write; what a learner wrote under other names stays."""


def _files_as_they_came(place: Place) -> None:
    """The lab edits index.html, and prints ids and the size of the folder it builds from."""
    work = place.workspace.home / "work" / "06"
    work.mkdir(parents=True, exist_ok=True)
    for name in ("index.html", "Dockerfile"):
        shutil.copy(place.files / "06" / name, work / name)
    for name in _MADE:
        (work / name).unlink(missing_ok=True)
    with suppress(OSError):  # it is not there, or holds what the lab did not make
        (work / "site" / "drafts").rmdir()


STEPS = (
    configured(),
    no_local_images(IN_ECR, "demo-app", "demo-site"),
    Step("Dockerfile and index.html are as they came", _files_as_they_came),
)
