"""Lab 06 starts from no image of its own, and from the lab's files as they came."""

import shutil

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import IN_ECR, no_local_images
from labs_helpers.prepare.step import Place, Step


def _files_as_they_came(place: Place) -> None:
    """The lab edits index.html and prints ids, which follow from the file's every byte."""
    work = place.workspace.home / "work" / "06"
    work.mkdir(parents=True, exist_ok=True)
    for name in ("index.html", "Dockerfile"):
        shutil.copy(place.files / "06" / name, work / name)
    (work / ".dockerignore").unlink(missing_ok=True)


STEPS = (
    configured(),
    no_local_images(IN_ECR, "demo-app", "demo-site"),
    Step("Dockerfile and index.html are as they came", _files_as_they_came),
)
