"""Every lab in AWS mode, played against a second sandbox with AWS's names, delays and throttling.

What only AWS has (a second account, GitHub, a public address) and what only the sandbox has (a
clock to move, a trace to read, a node of Kubernetes) is left out in words: LEFT_OUT lists these
cells. All other cells work as in the sandbox, and what they made is gone after `labs clean-up`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.clean_up.listed import listed
from labs_helpers.cli import main
from labs_helpers.curriculum import LABS
from labs_helpers.workspace import Workspace
from tests.aws_mode import account, played
from tests.aws_mode.names import Names
from tests.aws_mode.test_agreement import agree
from tests.labs.commands import Commands
from tests.sandbox.sandbox_process import Running

CLOCK = "nobody can move the clock"
NODE = "nobody can play a node of Kubernetes"
TRACE = "nobody can show what the registry answered"
KEY = "which costs 1 USD a month"
KEY_AT_HAND = "arn:aws:iam::"
LEFT_OUT = {
    # the learner is known already, by a profile of their own, and no key is at hand
    "01": {"01-12": "registryId", "01-23": KEY_AT_HAND},
    # the learner has no second account
    "02": {"02-65": "works with a partner's account"},
    "03": {
        "03-12": "an account that only the sandbox has",
        "03-12b": "everybody behind your router",
        "03-12c": "Downloaded newer image",
        "03-14": CLOCK,
        "03-15": "an account that only the sandbox has",
    },
    "04": {
        "04-24r": CLOCK,
        "04-25a": "nobody can ask why a lifecycle policy leaves an image",
        "04-28a": CLOCK,
        "04-61": KEY,
        "04-65": KEY,
        "04-67": KEY,
        "04-53": CLOCK,
        "04-54": "AWS applies it within 24 hours",
    },
    # a token is good for twelve hours
    "05": {"05-25": CLOCK, "05-26": f"{account.ACCOUNT}.dkr.ecr.{account.REGION}.amazonaws.com"},
    "07": {"07-08": TRACE, "07-11": TRACE},
    "08": {"08-26": CLOCK, "08-27": "LimitExceededException"},
    # nobody plays GitHub's signature
    "09": {"09-41": "nobody can play GitHub", "09-42": "nobody can play GitHub"},
    "12": {
        "12-98": CLOCK,
        "12-82": NODE,
        "12-83": NODE,
        "12-85": NODE,
        "12-88": CLOCK,
        "12-89d": NODE,
    },
}
"""By lab and cell: words of what the cell says instead."""
SOLUTIONS = {
    "01.1": "%%bash\n"
    "aws configure set region eu-west-1 --profile workshop\n"
    "aws configure set output json --profile workshop\n"
    'aws configure set credential_process "$(aws configure get credential_process)" '
    "--profile workshop",
}
"""Exercises that AWS takes another solution for; the card says which."""


@pytest.fixture(scope="module")
def delayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Names]]:
    with played.delayed(tmp_path_factory.mktemp("delayed")) as made:
        yield made


CHEAP = ("00", "05", "06")
"""The labs of `make test`; `make soak` plays all."""


@pytest.mark.parametrize(
    "number",
    [pytest.param(one, marks=[] if one in CHEAP else [pytest.mark.soak]) for one in LABS],
)
def test_a_lab_is_played_and_nothing_is_left(
    number: str, delayed: tuple[Running, Names], commands: Commands, tmp_path: Path
) -> None:
    there, names = delayed
    with account.learner(tmp_path, there, names) as learner:
        before, home = account.everything(there), learner.files()
        enter(tmp_path, there)
        one = played.player(agree(learner), there, commands).play(number, SOLUTIONS)

        assert f"REAL AWS · lab {number}" in one.shown
        assert "123456789012" not in one.shown
        known = {(each.kind, each.name) for each in listed(account.ACCOUNT)}
        assert one.made - known == set(), "made, and in no list"
        assert one.untagged == set(), "made, and without the tag"
        other, wanted = one.other_than_here(), LEFT_OUT.get(number, {})
        assert {cell: said for cell, said in other.items() if cell not in wanted} == {}
        assert {cell for cell in wanted if wanted[cell] not in other.get(cell, "")} == set()

        assert_that_nothing_is_left(there, before)
        assert learner.files() == home
        assert names.refused == set()


@pytest.mark.soak
def test_the_partner_s_part_is_played_with_a_profile_of_a_second_account(
    delayed: tuple[Running, Names], commands: Commands, tmp_path: Path
) -> None:
    there, names = delayed
    with account.learner(tmp_path, there, names, partner=True) as learner:
        before, home = account.everything(there), learner.files()
        enter(tmp_path, there)
        place = agree(learner, partner_profile="second")
        one = played.player(place, there, commands).play("02", SOLUTIONS)

        assert one.other_than_here() == {}
        assert f"arn:aws:iam::{account.SECOND_ACCOUNT}:user/owner" in one.shown
        assert "210987654321" not in one.shown, "a stranger's account"
        assert_that_nothing_is_left(there, before)
        assert learner.files() == home


MAKES_LATE = ("00", "01", "03", "05", "06")
"""Labs that may have made nothing in the account yet, half-way."""


@pytest.mark.soak
@pytest.mark.parametrize("number", LABS)
def test_what_a_lab_has_made_half_way_is_found_by_clean_up(
    number: str, delayed: tuple[Running, Names], commands: Commands, tmp_path: Path
) -> None:
    there, names = delayed
    with account.learner(tmp_path, there, names) as learner:
        before, home = account.everything(there), learner.files()
        enter(tmp_path, there)
        one = played.player(agree(learner), there, commands).play(number, SOLUTIONS, part=0.5)

        assert one.made or number in MAKES_LATE
        assert_that_nothing_is_left(there, before)
        assert learner.files() == home


def enter(folder: Path, there: Running) -> None:
    """The environment of the terminal in which the learner opens the labs."""
    os.environ["LABS_WORKBOOK"] = str(folder / "my-labs")
    os.environ["DOCKER_HOST"] = f"unix://{Workspace(there.home).socket}"


def assert_that_nothing_is_left(there: Running, before: dict[str, list[str]]) -> None:
    """The learner went away; another terminal, without any of the kernel's variables, cleans up."""
    assert main.main(["clean-up", "--delete", "--agree", account.ACCOUNT]) == 0
    assert account.everything(there) == before
