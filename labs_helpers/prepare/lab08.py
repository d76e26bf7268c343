"""Lab 08 starts from no repository, a login and no scanning rule."""

import shutil
from dataclasses import replace

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import logged_in
from labs_helpers.prepare.repositories import no_repository
from labs_helpers.prepare.step import Place, Step


def _no_rules(place: Place) -> None:
    place.client("ecr").put_registry_scanning_configuration(scanType="BASIC", rules=[])


def _files_as_they_came(place: Place) -> None:
    """The exercise edits the Dockerfile, and the lab builds it before."""
    work = place.workspace.home / "work" / "08"
    work.mkdir(parents=True, exist_ok=True)
    for name in ("Dockerfile", "index.html", "advisories.json"):
        shutil.copy(place.files / "08" / name, work / name)
    for name in ("accepted.json", "sbom.json"):
        (work / name).unlink(missing_ok=True)


STEPS = (
    configured(),
    # on AWS a repository of this name, and the registry's rules, may be in use: the lab's own
    # commands say so, or show what is there before they replace it
    replace(no_repository("myapp"), on_aws=False),
    Step("the registry has no scanning rules", _no_rules, on_aws=False),
    Step("Dockerfile and advisories are as they came, nothing is accepted", _files_as_they_came),
    logged_in(),
)
