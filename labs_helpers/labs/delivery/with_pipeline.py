"""What labs 11 and 13 begin with: the pipeline of lab 09, which has brought a first commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from labs_helpers.defaults import REPOSITORY
from labs_helpers.labs.delivery import beginning, made
from labs_helpers.labs.delivery.names import ON_AWS, PIPELINE, SERVICE
from labs_helpers.prepare.files import as_they_came, no_git_history
from labs_helpers.prepare.step import Place, Step

_OF_LAB_09 = (
    *("Dockerfile", "answer.sh", "build-policy.json", "buildspec.yml", "gate.yml", "index.html"),
    *("log.sh", "page.sh", "pipeline-policy.json", "pipeline.json", "retry.sh", "test.sh"),
)


def steps(
    number: str, written: Sequence[str], own: Sequence[str] = (), more: Sequence[str] = ()
) -> tuple[Step, ...]:
    """The steps of the lab ``number``.

    written: the files that the lab's cells write. own: files of the application of which the lab
    has another state than lab 09 begins with. more: other files of lab 09 that the lab uses.
    """
    of_lab_09 = [name for name in (*_OF_LAB_09, *more) if name not in own]

    def pipeline(place: Place) -> None:
        made.make(place, place.workspace.work(number))

    return (
        *_passing(beginning.BEFORE, "without images of yours"),
        as_they_came(number, "the lab's own files are as they came", made=written),
        as_they_came(
            number,
            "the files of the application, of lab 09, are as they came",
            of_lab_09,
            of="09",
            on_aws=ON_AWS,
        ),
        replace(no_git_history(number), passing=True),
        # release 1.0.0 alone is not what the lab begins with
        *(
            replace(one, gone=None, back=None)
            for one in _passing(beginning.AFTER, "no pipeline", "runs release 1.0.0")
        ),
        Step(
            f"the lab's folder is a git repository; the pipeline {PIPELINE} has brought its first "
            f"commit to the service {SERVICE} on ECS; {REPOSITORY} scans each push",
            pipeline,
            lost=_lost_pipeline,
        ),
    )


def _lost_pipeline(place: Place) -> str:
    client = place.client("codepipeline")
    try:
        client.get_pipeline(name=PIPELINE)
    except client.exceptions.PipelineNotFoundException:
        return f"the pipeline {PIPELINE}"
    return ""


def _passing(listed: Iterable[Step], *words: str) -> tuple[Step, ...]:
    """The steps, of which those with these words in their fact are followed by the pipeline."""
    return tuple(replace(one, passing=any(each in one.fact for each in words)) for one in listed)
