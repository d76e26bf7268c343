"""Lab 11 starts from the pipeline of lab 09, which has brought a first commit to the service."""

from __future__ import annotations

from labs_helpers.labs.delivery import beginning, made
from labs_helpers.labs.delivery.names import ON_AWS, PIPELINE, SERVICE
from labs_helpers.prepare.files import as_they_came, no_git_history
from labs_helpers.prepare.step import Place, Step

_OF_LAB_09 = (
    *("Dockerfile", "answer.sh", "build-policy.json", "buildspec.yml", "gate.yml", "index.html"),
    *("log.sh", "page.sh", "pipeline-policy.json", "pipeline.json", "retry.sh", "test.sh"),
)
_MADE = (
    *(".gitignore", "Dockerfile.bak", "buildspec.yml.bak", "gate.yml.bak", "index.html.bak"),
    *("build-policy-new.json", "pipeline-policy-new.json"),
)


def _pipeline(place: Place) -> None:
    made.make(place, place.workspace.work("11"))


STEPS = (
    *beginning.BEFORE,
    as_they_came("11", "the lab's own files are as they came", made=_MADE),
    as_they_came(
        "11",
        "the files of the application, of lab 09, are as they came",
        _OF_LAB_09,
        of="09",
        on_aws=ON_AWS,
    ),
    no_git_history("11"),
    *beginning.AFTER,
    Step(
        f"the pipeline {PIPELINE} has brought the first commit of this folder to {SERVICE}",
        _pipeline,
    ),
)
