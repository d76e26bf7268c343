"""Lab 11: what its check says of answers that people give."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labs_helpers.labs.delivery import release
from labs_helpers.labs.delivery.release import Release
from labs_helpers.prepare import beginning
from labs_helpers.prepare.record import Entry
from tests.labs.desk import Desk, desk, rows

GO = "aws codepipeline start-pipeline-execution --name demo-app"
WATCHED = ("66", "67")


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    """The lab's beginning, with a pipeline that looks at no commit, and the ticket in git."""
    with desk("11") as made:
        client = made.place.client("codepipeline")
        pipeline = client.get_pipeline(name="demo-app")["pipeline"]
        pipeline["stages"][0]["actions"][0]["configuration"]["DetectChanges"] = "false"
        client.update_pipeline(pipeline=pipeline)
        made.cells("17")
        made.done("git tag begin; sh ticket.sh; git tag ticket")
        yield made


@pytest.fixture
def tidied(lab: Desk) -> None:
    """The last commit is the colleague's."""
    lab.done("git reset -q --hard ticket; git clean -qfd -e '*.bak'")


COMMIT = 'git diff --quiet HEAD || git commit -q -a -m "Repair the build"'
BUILD = "sed -i.bak 's/sh tests.sh/sh test.sh/' buildspec.yml"
CHECK = "sed -i.bak 's/tests.sh/check.sh/' buildspec.yml"
GATE = "sed -i.bak 's/:$VERSION/:$TAG/' gate.yml"
WRONG: dict[str, tuple[str, str]] = {
    "not committed": (f"{BUILD}; {GATE}", "your changes are in the file and in no commit"),
    "the gate not committed": (
        f"{BUILD}; {COMMIT}; {GATE}",
        "gate.yml | your changes are in the file and in no commit | a commit of yours",
    ),
    "the test deleted": (
        f"sed -i.bak '/tests.sh/d' buildspec.yml; {GATE}; {COMMIT}",
        "no failed test stops the build before the push",
    ),
    "a test that stops nothing": (
        f"sed -i.bak 's/sh tests.sh/sh tests.sh || true/' buildspec.yml; {GATE}; {COMMIT}",
        "no failed test stops the build before the push",
    ),
    "a test that finds nothing": (
        f"echo true > test.sh; {BUILD}; {GATE}; {COMMIT}",
        "test.sh of your last commit | it does not look for the end of the page any more",
    ),
    "on-failure deleted": (
        f"{BUILD}; sed -i.bak '/on-failure/d' buildspec.yml; {GATE}; {COMMIT}",
        "after a failed build, post_build still runs",
    ),
    "no gate": (f"{BUILD}; git rm -q gate.yml; {COMMIT}", "gate.yml of your last commit | no such"),
    "the gate passes everything": (
        f"{BUILD}; {GATE}; sed -i.bak 's/CRITICAL/CRITICAL || true/' gate.yml; {COMMIT}",
        "no gate in it can stop a build | the gate judges the image of each commit",
    ),
    "the gate judges the first release": (
        f"{BUILD}; sed -i.bak 's/:$VERSION/:1.0.0/' gate.yml; {COMMIT}",
        "this judges one image, whatever the build has pushed",
    ),
    "latest pushed as well": (
        f"{BUILD}; {GATE}; sed -i.bak 's/.*docker push.*/&\\n      - docker push -aq $IMAGE/' "
        f"buildspec.yml; {COMMIT}",
        "this pushes the tag latest",
    ),
    "the test in no commit": (
        f"cp test.sh check.sh; {CHECK}; {GATE}; {COMMIT}",
        "the build runs check.sh, and check.sh is in no commit | the test before the push",
    ),
    "a gate for what has a fix": (
        f"{BUILD}; {GATE}; sed -i.bak 's/CRITICAL/CRITICAL --only-fixable/' gate.yml; {COMMIT}",
        "with --only-fixable, something that is CRITICAL may pass | the gate judges",
    ),
    "not sent yet": (f"{BUILD}; {GATE}; {COMMIT}", "none of the commit"),
}
RIGHT: dict[str, str] = {
    "the test under a name of one's own": (f"git mv test.sh check.sh; {CHECK}; {GATE}; {COMMIT}"),
    "the test in the build itself": (
        "sed -i.bak \"s,sh tests.sh,grep -q '</html>' index.html,\" buildspec.yml; "
        f"{GATE}; {COMMIT}"
    ),
    "the gate as strict as by default": (
        f"{BUILD}; {GATE}; sed -i.bak 's/ --fail-on CRITICAL//' gate.yml; {COMMIT}"
    ),
    "the commit reverted": "git revert --no-edit HEAD",
    "the test renamed": f"git mv test.sh tests.sh; {GATE}; {COMMIT}",
    "the variable set in the gate": (
        f"{BUILD}; sed -i.bak 's/ *- labs gate/      - VERSION=$TAG\\n&/' gate.yml; {COMMIT}"
    ),
}


@pytest.mark.usefixtures("tidied")
def test_the_ticket_is_not_tried(lab: Desk) -> None:
    assert lab.after("11.1", "").startswith("not tried: buildspec.yml and gate.yml of your last")


def test_before_the_ticket_nothing_is_tried(lab: Desk) -> None:
    lab.done("git reset -q --hard begin")
    assert lab.after("11.1", "").startswith("not tried")


@pytest.mark.usefixtures("tidied")
@pytest.mark.parametrize("answer", rows(WRONG, 11))
def test_a_build_that_is_not_repaired(lab: Desk, answer: str) -> None:
    lab.finds_wrong("11.1", *WRONG[answer])


@pytest.mark.usefixtures("tidied")
def test_the_solution_repairs_the_build(lab: Desk) -> None:
    seen = lab.after("11.1", f"{lab.solution('11.1')}\n{GO}", WATCHED)
    assert seen.startswith("passed: Your commit has arrived"), seen


@pytest.mark.usefixtures("tidied")
@pytest.mark.parametrize("answer", rows(RIGHT, 0))
def test_a_build_that_is_repaired(lab: Desk, answer: str) -> None:
    seen = lab.after("11.1", f"{RIGHT[answer]}\n{GO}", WATCHED)
    assert seen.startswith("passed: Your commit has arrived"), seen


def test_a_begun_lab_from_which_nothing_is_gone_says_nothing_of_a_clean_up(lab: Desk) -> None:
    assert beginning.go_on("11", lab.place, Entry(finished=True)).notes == ()


def test_the_card_stays_short_whatever_other_labs_removed(lab: Desk) -> None:
    removed = tuple(f"lab 09: the image {number}" for number in range(50))
    (line,) = beginning.go_on("11", lab.place, Entry(finished=True, since=removed)).notes
    assert line == (
        "lab 09 removed 50 things since then, as its card said; "
        "all that this lab began with is there"
    )


def test_a_commit_is_not_live_when_its_service_is_gone(lab: Desk) -> None:
    """From here on the service is gone: nothing brings the service back."""
    first = lab.shell("git rev-list --max-parents=0 HEAD").stdout.strip()
    assert release.runs(Release(lab.lab._world(), first)) is None
    lab.done("aws ecs delete-service --cluster demo --service web --force --query service.status")
    found = release.runs(Release(lab.lab._world(), first))
    assert found is not None
    assert found.found == "there is no such service any more"


def test_the_first_cell_after_the_clean_up_says_what_is_gone(lab: Desk) -> None:
    """The last test of this file: the pipeline is gone."""
    lab.done("aws codepipeline delete-pipeline --name demo-app")
    gone, again = beginning.go_on("11", lab.place, Entry(finished=True)).notes
    assert gone.endswith(": the service web of the cluster demo and the pipeline demo-app")
    assert "lab.restart()" in again
