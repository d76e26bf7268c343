"""Lab 08 starts from no repository, a login and no scanning rule."""

import shutil
from dataclasses import replace

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import logged_in
from labs_helpers.prepare.repositories import no_repository, no_scanning_rules
from labs_helpers.prepare.step import Place, Step


def _files_as_they_came(place: Place) -> None:
    """The exercise edits the Dockerfile, and the lab builds it before."""
    work = place.workspace.home / "work" / "08"
    shutil.copytree(place.files / "08", work, dirs_exist_ok=True)
    (work / "accepted.yaml").unlink(missing_ok=True)


STEPS = (
    configured(),
    # on AWS a repository of this name, and the registry's rules, may be in use: the lab's own
    # commands say so, or show what is there before they replace it
    replace(no_repository("myapp"), on_aws=False),
    no_scanning_rules(),
    Step("the lab's files are as they came, nothing is accepted", _files_as_they_came),
    logged_in(),
)
