"""How a lab opens, in the sandbox and on AWS, and its messages when it cannot open."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from labs_helpers import (
    aws_session,
    checks,
    control_client,
    notebook_output,
    servers,
    start,
    startup,
)
from labs_helpers.aws_session import Session
from labs_helpers.curriculum import LABS
from labs_helpers.engine.choice import EMBEDDED, Choice
from labs_helpers.errors import LabError
from labs_helpers.files import LabsError
from labs_helpers.lab import Lab
from labs_helpers.prepare import Place, Step
from labs_helpers.workspace import WORKBOOK_RECORD, Workspace
from tests.display.test_why import explained


class Recorded:
    """A fake of the control API."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    def notes(self) -> tuple[str, ...]:
        return ()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.asked.append((method, path, body))
        return {
            "now": "2026-11-02T09:00:00+00:00",
            "requests": [],
            "refusal": None,
            "verdict": explained(),
        }


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a lab displays."""
    displayed: list[str] = []
    for shows in (notebook_output, startup):
        monkeypatch.setattr(shows, "display", lambda one: displayed.append(one.text))
    return displayed


@pytest.fixture(autouse=True)
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A kernel's environment, folder and home for one test; they are restored afterwards."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    os.environ["LABS_HOME"] = str(home)
    for name in [name for name in os.environ if name.startswith(("AWS_", "DOCKER_"))]:
        del os.environ[name]
    for name in ("LABS_MODE", "LABS_START"):
        os.environ.pop(name, None)
    yield home
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A fake sandbox and a lab 05 of two steps. The fixture lists the facts that were ensured."""
    done: list[str] = []

    def step(fact: str) -> Step:
        return Step(fact, lambda place: done.append(f"{fact} in {place.account}"))

    def started(workspace: Workspace, _say: Any = None) -> Any:
        workspace.create()
        engine = SimpleNamespace(choice=Choice(EMBEDDED, ""))
        server = SimpleNamespace(port=4566)
        return SimpleNamespace(sandbox=server, engine=engine, started_again=False, note="")

    monkeypatch.setattr(servers, "start", started)
    monkeypatch.setattr(startup, "Control", lambda workspace: Recorded())
    monkeypatch.setattr("labs_helpers.labs.lab05.prepare.STEPS", (step("a"), step("b")))
    return done


def test_a_lab_in_the_sandbox_is_prepared_and_says_so(shown: list[str], sandbox: list[str]) -> None:
    opened = start("05")

    assert sandbox == ["a in 123456789012", "b in 123456789012"]
    assert len(shown) == 1
    assert shown[0].startswith("SANDBOX · lab 05 · Log Docker in to ECR\n")
    assert shown[0].endswith("ready     a\n            b")
    assert (opened.account, opened.region) == ("123456789012", "us-west-2")
    assert opened.registry == "123456789012.dkr.ecr.us-west-2.amazonaws.com"


def test_the_card_says_that_the_disk_is_full(
    shown: list[str], sandbox: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = SimpleNamespace(free=3_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda path: full)
    start("05")
    (card,) = shown
    assert "is full but for 3 MB" in card
    assert "what you made is kept" in " ".join(card.split())


def test_what_the_preparation_sent_is_not_in_the_trace(
    shown: list[str], sandbox: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded()
    monkeypatch.setattr(startup, "Control", lambda workspace: recorded)

    start("05")

    assert recorded.asked[-1] == ("DELETE", "trace", None)


def test_the_kernel_gets_the_lab_s_environment(
    shown: list[str], sandbox: list[str], kernel: Path
) -> None:
    os.environ["AWS_SECRET_ACCESS_KEY"] = "the learner's real one"

    start("05")

    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert os.environ["DOCKER_CONFIG"] == str(kernel / "docker")
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ


def test_the_lab_s_files_are_copied_once_and_stay_the_learner_s(
    shown: list[str], sandbox: list[str], kernel: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    files = tmp_path / "project" / "notebooks" / "files" / "05" / "sub"
    files.mkdir(parents=True)
    (files / "policy.json").write_text("{}")
    workspace = Workspace(kernel, tmp_path / "project")
    monkeypatch.setattr(Workspace, "find", lambda: workspace)

    start("05")
    assert Path.cwd() == kernel / "work" / "05"
    Path("sub/policy.json").write_text("mine")
    start("05")

    assert Path("sub/policy.json").read_text() == "mine"


def test_in_the_workbook_a_lab_works_beside_its_notebook_also_after_a_change_of_folder(
    shown: list[str], sandbox: list[str], kernel: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    project, find = tmp_path / "project", Workspace.find
    book = project / "my-labs"
    for name in ("notebooks/files/05", "my-labs/05-log-in", f"my-labs/{WORKBOOK_RECORD}"):
        (project / name).mkdir(parents=True)
    (project / "pyproject.toml").touch()
    (project / "notebooks" / "files" / "05" / "Dockerfile").write_text("FROM a\n")
    monkeypatch.setattr(Workspace, "find", lambda: find(package=project / "labs_helpers"))
    monkeypatch.chdir(book / "05-log-in")

    start("05")
    assert Path.cwd() == book / "05-log-in"
    os.chdir(tmp_path)
    start("05")
    assert Path.cwd() == book / "05-log-in"
    assert Path("Dockerfile").read_text() == "FROM a\n"


def test_a_card_names_no_place_of_this_machine(
    shown: list[str], sandbox: list[str], kernel: Path
) -> None:
    start("05")
    assert str(kernel) not in shown[0]
    assert "4566" not in shown[0]


@pytest.mark.parametrize("number", ["5", f"{int(max(LABS)) + 1:02}", "", "../05", "lab05"])
def test_an_unknown_lab_lists_the_labs(number: str) -> None:
    with pytest.raises(LabError, match="There are: 00, 01"):
        start(number)


def test_a_sandbox_that_cannot_start_is_told_without_a_traceback(monkeypatch: Any) -> None:
    def failing(workspace: Workspace, _say: Any = None) -> None:
        raise LabsError("The port is taken.\nTry LABS_PORT=4600.")

    monkeypatch.setattr(servers, "start", failing)

    with pytest.raises(LabError) as caught:
        start("05")
    assert caught.value._render_traceback_() == ["The port is taken.", "Try LABS_PORT=4600."]


@pytest.fixture
def aws() -> Iterator[Any]:
    """An AWS account (moto's, in this process), chosen by LABS_MODE."""
    os.environ |= {
        "LABS_MODE": "aws",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    workspace = Workspace.find()
    session = Session("labs-1", "123456789012", "eu-west-1", "arn:me", None, {})
    aws_session.keep(workspace, session)
    with mock_aws():
        yield boto3.client("ecr", "eu-west-1")


def repositories(ecr: Any) -> list[str]:
    return [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]]


def test_on_aws_opening_a_lab_makes_nothing(shown: list[str], aws: Any) -> None:
    opened = start("05")

    assert repositories(aws) == []
    assert shown[0].startswith("REAL AWS · lab 05")
    assert "needs     repository demo-app-repo exists, empty" in shown[0]
    assert opened.registry == f"{opened.account}.dkr.ecr.eu-west-1.amazonaws.com"
    assert os.environ["REGISTRY"] == opened.registry


@pytest.mark.parametrize("account", [None, "210987654321", ""])
def test_on_aws_preparing_wants_the_account_s_own_number(
    account: str | None, shown: list[str], aws: Any
) -> None:
    opened = start("05")

    with pytest.raises(LabError, match=f'account="{opened.account}"'):
        opened.prepare(account)
    assert repositories(aws) == []


def test_on_aws_a_confirmed_preparation_is_done(
    shown: list[str], aws: Any, monkeypatch: Any
) -> None:
    made = Step("a repository", lambda place: _create(place))
    monkeypatch.setattr("labs_helpers.labs.lab05.prepare.STEPS", (made,))
    opened = start("05")

    opened.prepare(account=opened.account)

    assert repositories(aws) == ["labs"]


def test_on_aws_a_preparation_names_what_it_removed(shown: list[str], aws: Any) -> None:
    opened = start("00")
    aws.create_repository(repositoryName="hello-labs")  # which is the labs' from now on
    assert repositories(aws) == ["hello-labs"]

    card = opened.prepare(account=opened.account)

    assert repositories(aws) == []
    assert "repository hello-labs" in card.text.partition("removed")[2]


def test_on_aws_a_preparation_that_would_remove_what_was_there_is_refused(
    shown: list[str], aws: Any
) -> None:
    aws.create_repository(repositoryName="hello-labs")
    opened = start("00")
    with pytest.raises(LabError, match="were here before the labs: repository hello-labs"):
        opened.prepare(account=opened.account)
    assert repositories(aws) == ["hello-labs"]


def test_on_aws_a_cell_for_the_sandbox_only_is_refused(shown: list[str], aws: Any) -> None:
    opened = start("00")
    with pytest.raises(LabError, match="This cell would use up what others need, so it is left"):
        opened.only_in_sandbox("use up what others need")


@pytest.mark.parametrize("again", [lambda lab: lab.restart(), lambda lab: start("00", fresh=True)])
def test_on_aws_starting_over_says_what_to_use_there(
    again: Any, shown: list[str], aws: Any
) -> None:
    aws.create_repository(repositoryName="hello-labs")
    opened = start("00")
    with pytest.raises(LabError, match=f'lab.prepare\\(account="{opened.account}"\\)'):
        again(opened)
    assert repositories(aws) == ["hello-labs"]


def test_on_aws_a_program_that_runs_notebooks_removes_nothing(shown: list[str], aws: Any) -> None:
    aws.create_repository(repositoryName="hello-labs")
    os.environ["LABS_START"] = "fresh"
    start("00")
    assert repositories(aws) == ["hello-labs"]


def _create(place: Place) -> None:
    place.client("ecr").create_repository(repositoryName="labs")


def test_on_aws_a_learner_s_docker_logins_stay(shown: list[str], aws: Any) -> None:
    start("05")
    assert "logged in" not in shown[0]


def test_on_aws_the_clock_cannot_be_moved(shown: list[str], aws: Any) -> None:
    opened = start("05")
    with pytest.raises(LabError, match="You work on AWS"):
        opened.clock.advance(hours=13)


@pytest.fixture
def opened(shown: list[str], sandbox: list[str]) -> Lab:
    return start("05")


def test_an_unknown_check_is_told_without_a_traceback(opened: Lab) -> None:
    with pytest.raises(LabError, match=r"This lab has: 05\.1, 05\.2"):
        opened.check("05.7")


def test_an_exercise_that_was_done_is_not_called_untried_after_the_clean_up(
    opened: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[checks.Outcome] = [
        checks.NotAttempted("the logins"),
        checks.Passed("Docker is logged in."),
        checks.NotAttempted("the logins"),
    ]
    monkeypatch.setattr(checks, "run", lambda check_id, world: found.pop(0))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert repr(opened.check("05.1")).startswith("○ 05.1  not tried yet")
    assert repr(opened.check("05.1")).startswith("✓ 05.1")
    assert repr(opened.check("05.1")).startswith(
        "○ 05.1  done before, which counts; now open again"
    )


def test_who_asks_again_is_not_told_that_nothing_was_tried(
    opened: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check sees what there is. It does not see a command that was refused."""
    monkeypatch.setattr(checks, "run", lambda check_id, world: checks.NotAttempted("the logins"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert repr(opened.check("05.1")).startswith("○ 05.1  not tried yet")
    assert repr(opened.check("05.1")).startswith("○ 05.1  nothing has changed here yet")
    assert repr(opened.check("05.2")).startswith("○ 05.2  not tried yet")
    opened.note("restarted")
    assert repr(opened.check("05.1")).startswith("○ 05.1  not tried yet")


def test_hints_and_solutions_come_from_the_notebook(opened: Lab) -> None:
    assert "region" in opened.hint("05.1", 1).text
    assert opened.solution("05.1").text.startswith("%%bash\n# solution\n")


def test_a_quiz_can_be_answered_in_text(opened: Lab) -> None:
    assert repr(opened.quiz("05.q2", "c")).startswith("✓ right")


PUSH = [
    {"status": "Preparing", "id": "7d7a3b92606a", "progressDetail": {}},
    {"status": "Pushed", "id": "7d7a3b92606a", "progressDetail": {}},
]
REFUSED = [*PUSH, {"errorDetail": {"message": "denied: no"}, "error": "denied: no"}]


class Area:
    """A fake of the cell's output with its present content."""

    def __init__(self, holds: Any) -> None:
        self.holds = holds

    def update(self, data: Any, raw: bool) -> None:
        assert raw
        self.holds = data


def test_a_push_is_watched_without_widgets_where_nobody_looks(
    opened: Lab, shown: list[str]
) -> None:
    before = list(shown)
    assert repr(opened.watch(PUSH)).endswith("1 of 1 layers sent")
    assert shown == before


def test_bars_are_on_show_while_a_push_goes_on_and_leave_nothing(
    opened: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    areas: list[Area] = []
    monkeypatch.setattr(notebook_output, "someone_looks", lambda: True)
    monkeypatch.setattr(
        notebook_output, "display", lambda one: areas.append(Area(one)) or areas[-1]
    )

    def pushing() -> Iterator[Any]:
        yield PUSH[0]
        assert len(areas[0].holds.children) == 2
        yield PUSH[1]

    opened.watch(pushing())
    assert [area.holds for area in areas] == [{}]


def test_an_error_in_a_stream_ends_the_cell_below_what_was_sent(
    opened: Lab, shown: list[str]
) -> None:
    with pytest.raises(LabError) as refused:
        opened.watch(REFUSED)
    assert refused.value._render_traceback_() == ["denied: no"]
    assert "7d7a3b92606a        Pushed" in shown[-1]


def test_what_is_no_stream_is_told_how_to_be_one(opened: Lab) -> None:
    with pytest.raises(LabError, match="stream=True, decode=True"):
        opened.watch('{"status": "Pushed"}')  # type: ignore[arg-type]


@pytest.mark.parametrize("mbit", [0, -1, float("nan")])
def test_a_line_carries_something(mbit: float, opened: Lab) -> None:
    with pytest.raises(LabError, match="more than 0"):
        opened.watch(PUSH, mbit=mbit)


@pytest.mark.parametrize("asks", [True, False])
def test_a_front_end_that_can_ask_has_someone_in_front_of_it(
    asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = {"content": {"allow_stdin": asks}}
    shell = SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda: parent))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    assert notebook_output.someone_looks() is asks


def test_outside_a_kernel_nobody_looks() -> None:
    assert notebook_output.someone_looks() is False


def test_the_clock_goes_forward_and_says_how_far() -> None:
    recorded = Recorded()
    clock = control_client.LabClock(recorded)  # type: ignore[arg-type]

    assert repr(clock.advance(hours=13)) == "The sandbox clock has moved forward by 13 hours."
    assert recorded.asked == [("POST", "clock", {"advance_seconds": 46800.0})]
    assert clock.now.utcoffset() == timedelta(0)


@pytest.mark.parametrize("hours", [0, -1])
def test_the_clock_does_not_go_back(hours: float) -> None:
    recorded = Recorded()
    with pytest.raises(LabError, match="forward only"):
        control_client.LabClock(recorded).advance(hours=hours)  # type: ignore[arg-type]
    assert recorded.asked == []


def test_every_lab_has_a_file_name_of_its_own() -> None:
    assert len({title.notebook for title in LABS.values()}) == len(LABS)


@pytest.mark.parametrize("name", ["", "demo-app", "your-org/", "/demo-app", "a/b/c"])
def test_github_has_no_repository_without_owner_and_name(name: str, sandbox: list[str]) -> None:
    with pytest.raises(LabError, match="is no repository of GitHub: give owner/name"):
        start("05").github_token(name)


def test_why_asks_about_the_learner_and_a_repository_by_name(sandbox: list[str]) -> None:
    opened = start("05")
    recorded: Any = opened._control
    assert opened.why().text == "Nothing has been refused yet."
    assert opened.why("ecr:PutImage", "demo-app-repo").text.startswith("✗ refused")
    assert recorded.asked[-1] == (
        "POST",
        "why",
        {
            "action": "ecr:PutImage",
            "resource": "arn:aws:ecr:us-west-2:123456789012:repository/demo-app-repo",
            "principal": "arn:aws:iam::123456789012:user/learner",
        },
    )


@pytest.mark.parametrize(("method", "part"), [("quiz", "05.q1"), ("predict", "05.p1")])
def test_an_answer_that_is_no_letter_is_answered_by_the_letters(
    shown: list[str], aws: Any, method: str, part: str
) -> None:
    said = getattr(start("05"), method)(part, 3).text
    assert said.startswith(f"{part}: choose one of a, b")
    assert said.endswith(f'in quotes, as in  lab.{method}("{part}", "a")')


def test_a_hint_s_number_that_is_none_is_answered_by_the_numbers(
    shown: list[str], aws: Any
) -> None:
    with pytest.raises(LabError, match=re.escape("05.1 has hints 1 to 2, not two")):
        start("05").hint("05.1", "two")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "example"),
    [
        ("check", 'lab.check("05.1")'),
        ("hint", 'lab.hint("05.1")'),
        ("solution", 'lab.solution("05.1")'),
        ("quiz", 'lab.quiz("05.q1")'),
        ("predict", 'lab.predict("05.p1")'),
    ],
)
def test_a_call_without_an_id_shows_how_to_write_one(
    shown: list[str], aws: Any, method: str, example: str
) -> None:
    with pytest.raises(LabError, match=re.escape(example)):
        getattr(start("05"), method)()
