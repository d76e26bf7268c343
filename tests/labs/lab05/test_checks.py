"""Lab 05: what its checks say in each state a learner can be in."""

from pathlib import Path

from labs_helpers.checks import NotAttempted, NotYet, Passed, run
from tests.labs.fakes import answer, log_in, world

WEST = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
EAST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
IRELAND = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
MANIFEST = "/v2/demo-app-repo/manifests/from-colleague"


class Sts:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::123456789012:user/learner"}


def test_no_login_at_all_is_not_attempted(tmp_path: Path) -> None:
    assert isinstance(run("05.1", world(tmp_path)), NotAttempted)


def test_a_login_to_the_first_region_only_is_shown(tmp_path: Path) -> None:
    log_in(tmp_path, WEST)

    outcome = run("05.1", world(tmp_path))

    assert isinstance(outcome, NotYet)
    assert (outcome.found, outcome.wanted) == (WEST, IRELAND)


def test_a_login_that_the_registry_refuses_is_not_enough(tmp_path: Path) -> None:
    log_in(tmp_path, WEST, IRELAND)
    expired = answer(403, "DENIED", "Your authorization token has expired.")

    outcome = run("05.1", world(tmp_path, registries={IRELAND: {"/v2/": expired}}))

    assert isinstance(outcome, NotYet)
    assert outcome.found == "denied: Your authorization token has expired."


def test_a_login_that_the_registry_accepts_passes(tmp_path: Path) -> None:
    log_in(tmp_path, IRELAND)
    seen = world(tmp_path, registries={IRELAND: {"/v2/": answer(200)}}, clients={"sts": Sts()})

    outcome = run("05.1", seen)

    assert isinstance(outcome, Passed)
    assert "as user learner" in outcome.says


def test_the_colleague_is_logged_in_elsewhere(tmp_path: Path) -> None:
    log_in(tmp_path, EAST)

    outcome = run("05.2", world(tmp_path))

    assert isinstance(outcome, NotYet)
    assert (outcome.found, outcome.wanted) == (EAST, WEST)


def test_the_colleague_has_not_pushed_yet(tmp_path: Path) -> None:
    log_in(tmp_path, EAST, WEST)

    outcome = run("05.2", world(tmp_path))

    assert isinstance(outcome, NotYet)
    assert "run the push" in outcome.suggestion


def test_the_pushed_image_passes_whatever_the_logins_are_now(tmp_path: Path) -> None:
    outcome = run("05.2", world(tmp_path, registries={WEST: {MANIFEST: answer(200)}}))

    assert isinstance(outcome, Passed)
