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
KEY_AT_HAND = "arn:aws:iam::"
LEFT_OUT = {
    # the learner is known already, by a profile of their own, and no key is at hand
    "01": {"01-12": "registryId", "01-23": KEY_AT_HAND},
    "03": {
        "03-12": "an account that only the sandbox has",
        "03-12b": "everybody behind your router",
        "03-12c": "Downloaded newer image",
        "03-14": CLOCK,
        "03-15": "an account that only the sandbox has",
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


def play(
    numbers: list[str], delayed: tuple[Running, Names], commands: Commands, tmp_path: Path
) -> None:
    there, names = delayed
    with account.learner(tmp_path, there, names) as learner:
        before, home = account.everything(there), learner.files()
        os.environ["LABS_WORKBOOK"] = str(tmp_path / "my-labs")
        os.environ["DOCKER_HOST"] = f"unix://{Workspace(there.home).socket}"
        player = played.player(agree(learner), there, commands)
        for number in numbers:
            one = player.play(number, SOLUTIONS)
            assert f"REAL AWS · lab {number}" in one.shown
            assert "123456789012" not in one.shown
            known = {(each.kind, each.name) for each in listed(account.ACCOUNT)}
            assert one.made - known == set(), f"lab {number} makes what no list has"
            other, wanted = one.other_than_here(), LEFT_OUT.get(number, {})
            assert {cell: said for cell, said in other.items() if cell not in wanted} == {}
            assert {cell for cell in wanted if wanted[cell] not in other.get(cell, "")} == set()
        # the learner went away; another terminal, which has none of the kernel's variables
        os.environ.pop("LABS_MODE", None)
        assert main.main(["clean-up", "--delete", "--agree", account.ACCOUNT]) == 0
        assert account.everything(there) == before
        assert learner.files() == home
        assert names.refused == set()


def test_cheap_labs_are_played_and_nothing_is_left(
    delayed: tuple[Running, Names], commands: Commands, tmp_path: Path
) -> None:
    play(["00", "01", "05"], delayed, commands, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("number", LABS)
def test_every_lab_is_played_and_nothing_is_left(
    number: str, delayed: tuple[Running, Names], commands: Commands, tmp_path: Path
) -> None:
    play([number], delayed, commands, tmp_path)
