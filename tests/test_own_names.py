"""A learner's own account and region, in texts, in the sandbox, and in what the labs laid out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers import workbook
from labs_helpers.defaults import FRESH_START
from labs_helpers.own_names import USUAL, OwnNames, regions
from labs_helpers.workspace import Workspace
from tests.labs.commands import Commands

PROJECT = Path(__file__).parents[1]
THEIRS = OwnNames("210987654321", "eu-central-1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("123456789012.dkr.ecr.us-west-2.amazonaws.com", "210987654321.dkr.ecr.eu-central-1.ama"),
        ("arn:aws:ecr:us-west-2:123456789012:repository/", ":eu-central-1:210987654321:"),
        ("labs-cli-123456789012", "labs-cli-210987654321"),
        ("us-west-2a is in Oregon", "eu-central-1a is in Frankfurt"),
        ("account 210987654321 in eu-central-1", "account 123456789012 in us-west-2"),
        ("1234567890123 us-west-20 xus-west-2", "1234567890123 us-west-20 xus-west-2"),
    ],
)
def test_names_are_exchanged(text: str, expected: str) -> None:
    assert expected in THEIRS.of(text)
    assert THEIRS.of(THEIRS.of(text)) == text
    assert USUAL.of(text) == text


def test_two_names_of_a_lesson_still_differ() -> None:
    assert THEIRS.partner == "123456789012"
    assert OwnNames("111122223333").partner == "210987654321"
    for region in regions():
        own = OwnNames(region=region)
        assert own.second_region != region


def test_a_file_that_is_no_text_stays() -> None:
    assert THEIRS.in_file(b"\xff123456789012") == b"\xff123456789012"


class Desk:
    def __init__(self, environ: dict[str, str], commands: Path) -> None:
        self._environ = environ
        self._commands = commands
        self.workspace = Workspace(Path(environ["LABS_HOME"]), PROJECT)

    def labs(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run("labs", *words)

    def kernel(self, script: str) -> str:
        ran = self._run("python", "-c", f"from labs_helpers import start\n{script}")
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def _run(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._commands / command, *words],
            env=self._environ,
            cwd=self.workspace.home,
            text=True,
            capture_output=True,
            check=False,
        )


@pytest.fixture(scope="module")
def desk(commands: Commands) -> Iterator[Desk]:
    workspace = Workspace(PROJECT / ".labs", PROJECT)
    with workbook.fresh(None, workspace, **workbook.AS_COMMITTED) as environ:
        own = {name: value for name, value in environ.items() if name not in FRESH_START}
        own["LABS_WORKBOOK"] = str(Path(environ["LABS_HOME"]) / "mine")
        yield Desk(own, commands.folder)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--account", "12345"], "An account id has 12 digits, and '12345' is none."),
        (["--account", "12345678901a"], "12 digits"),
        (["--region", "eu-central"], "There is no region 'eu-central' in the partition aws"),
        (["--region", "cn-north-1"], "There is no region 'cn-north-1' in the partition aws"),
    ],
)
def test_a_name_that_is_none_is_refused(words: list[str], says: str, desk: Desk) -> None:
    ran = desk.labs("configure", *words)
    assert ran.returncode == 1
    assert says in ran.stderr
    assert desk.workspace.own_names == USUAL


def test_a_learner_moves_to_an_account_of_their_own_and_back(desk: Desk) -> None:
    workspace = desk.workspace
    desk.labs("update")
    desk.kernel('start("02")')
    key = workspace.learner.read_text()
    mine = workspace.work("02") / "trust.json"
    mine.write_text(mine.read_text() + "\n")  # the learner's own version

    moved = desk.labs("configure", "--account", THEIRS.account, "--region", THEIRS.region)
    assert moved.returncode == 0, moved.stderr
    assert "account     210987654321" in moved.stdout
    assert "region      eu-central-1" in moved.stdout
    assert json.loads(workspace.learner.read_text())["account"] == THEIRS.account
    assert THEIRS.account in (workspace.work("02") / "push-demo-app.json").read_text()
    assert THEIRS.account not in mine.read_text()
    notebook = Path(workspace.home / "mine" / "05-log-in" / "05-log-in.ipynb").read_text()
    assert "us-west-2" not in notebook
    assert "$ACCOUNT.dkr.ecr.eu-central-1.amazonaws.com" in notebook
    assert "Frankfurt" in (workspace.home / "mine" / "01-aws-cli" / "01-aws-cli.ipynb").read_text()

    card = desk.kernel('start("02")')  # not begun in this account
    assert "registry  210987654321.dkr.ecr.eu-central-1.amazonaws.com" in card
    assert "configured as user learner, region eu-central-1" in card
    assert "labs-partner is an administrator of account 123456789012" in card
    said = desk.kernel(
        'lab = start("05"); print(lab.solution("05.2")); print(lab.why("ecr:PutImage", "a"))\n'
        "import os; print(os.environ['ACCOUNT'], os.environ['REGISTRY'])"
    )
    assert "--region eu-central-1" in said
    assert "arn:aws:ecr:eu-central-1:210987654321:repository/a" in said
    assert "210987654321 210987654321.dkr.ecr.eu-central-1.amazonaws.com" in said
    status = json.loads(desk.labs("status", "--json").stdout)
    assert (status["account"], status["region"]) == ("210987654321", "eu-central-1")
    assert (status["sandbox"]["account"], status["sandbox"]["region"]) == (
        "210987654321",
        "eu-central-1",
    )

    back = desk.labs("configure", "--account", USUAL.account, "--region", USUAL.region)
    assert back.returncode == 0, back.stderr
    assert workspace.learner.read_text() == key
    assert "begun earlier" in desk.kernel('start("02")')
