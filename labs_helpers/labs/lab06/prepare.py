"""Lab 06 starts from no image of its own, and from the lab's files as they came."""

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import IN_ECR, no_local_images
from labs_helpers.prepare.files import as_they_came

_MADE = (
    ".dockerignore",
    "notes.txt",
    "Dockerfile.notes",
    "Dockerfile.prod",
    "site/drafts/measurements.csv",
)
"""Files that the lab's cells write."""

STEPS = (
    configured(),
    no_local_images(IN_ECR, "demo-app", "demo-site"),
    # the lab edits index.html, and prints ids and the size of the folder it builds from
    as_they_came(
        "06", "Dockerfile and index.html are as they came", ("index.html", "Dockerfile"), _MADE
    ),
)
