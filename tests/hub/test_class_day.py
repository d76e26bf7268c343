"""docs/jupyterhub.md, followed with a real JupyterHub and two learners of the system."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.curriculum import FIRST, LABS
from tests.hub import played

soak = pytest.mark.soak  # three starts of JupyterHub, and labs run: minutes of CPU


def play(what: str, learners: int, *options: str, seconds: float = 5000.0) -> dict[str, Any]:
    """A morning or a day of a class; see class_day.py."""
    return played.play("tests.hub.class_day", what, str(learners), *options, seconds=seconds)


@pytest.fixture(scope="module")
def class_of_two() -> dict[str, Any]:
    return play("day", 2)


def each(found: dict[str, Any]) -> list[dict[str, Any]]:
    assert found["learners"]
    return list(found["learners"])


@pytest.mark.timeout(560)  # 30 seconds of CPU; a machine that is busy takes its time
def test_two_learners_open_their_labs_on_a_hub() -> None:
    found = play("morning", 2, seconds=500)
    for learner in each(found):
        (card,) = learner["cells"]
        assert "engine    the labs' own" in card
    assert found["wrong_password"] == "refused"
    for kinds in found["at_work"].values():
        assert {"server", "kernel", "sandbox", "engine"} <= set(kinds)
    # no kernel needs a port of the machine, which another learner's could take first
    assert set(found["sockets"].values()) == {5}
    # the page of the class is the instructor's
    assert found["seen"]["teacher"]["status"] == 200
    assert "learner02" in found["seen"]["teacher"]["text"]
    assert found["seen"]["learner"]["status"] == 403
    assert "learner02" not in found["seen"]["learner"]["text"]


@soak  # the default time-outs are times of a machine that has nothing else to do
def test_jupyterhubs_own_time_outs_are_enough_for_two_at_once() -> None:
    options = ("--Spawner.start_timeout=60", "--Spawner.http_timeout=30")
    assert len(each(play("morning", 2, *options))) == 2


@soak
def test_each_learner_finds_the_workbook_and_nothing_else(class_of_two: dict[str, Any]) -> None:
    of_labs = {lab.folder for lab in LABS.values() if lab.number != FIRST}
    for learner in each(class_of_two):
        assert of_labs | {LABS[FIRST].notebook} <= set(learner["files"])


@soak
def test_lab_00_runs_on_the_learners_own_sandbox(class_of_two: dict[str, Any]) -> None:
    for learner in each(class_of_two):
        card, identity, engine, *_ = learner["cells"]
        assert "engine    the labs' own" in card
        assert "arn:aws:iam::123456789012:user/learner" in identity
        assert "Labs engine" in engine
    assert len({learner["port"] for learner in each(class_of_two)}) == 2


@soak
def test_a_terminal_has_the_labs_commands(class_of_two: dict[str, Any]) -> None:
    for learner in each(class_of_two):
        shown = learner["terminal"]
        assert '"mode": "sandbox"' in shown
        assert "\n123456789012\r\n" in shown
        assert "Labs engine" in shown
        assert "/.labs/bin/aws\r\n" in shown
        assert "/.labs/bin/docker\r\n" in shown


@soak
def test_state_and_workbook_are_in_the_learners_home(class_of_two: dict[str, Any]) -> None:
    for number, learner in enumerate(each(class_of_two), 1):
        home = f"/home/learner{number:02}"
        assert f"{home}/my-labs\r\n{home}/.labs\r\n" in learner["terminal"]
        assert learner["mode"] == "0o700"
        assert not learner["others_may_read"]


@soak
def test_learners_do_not_share_the_docker_daemon_of_the_machine(
    class_of_two: dict[str, Any],
) -> None:
    assert [learner["engine"] for learner in each(class_of_two)] == ["embedded", "embedded"]


@soak
def test_one_who_comes_late_gets_a_name_and_the_others_keep_theirs(
    class_of_two: dict[str, Any],
) -> None:
    late = class_of_two["late"]
    assert (late["name"], late["others"]) == ("learner03", True)
    assert "engine    the labs' own" in late["cells"][0]


@soak
def test_one_who_is_stuck_is_seen_gets_a_hint_and_is_caught_up(
    class_of_two: dict[str, Any],
) -> None:
    found = class_of_two["stuck"]
    assert (found["row"]["name"], found["row"]["exercise"]) == ("learner02", "05.1")
    assert found["row"]["state"] == "works"
    assert "05.1" in found["tried"][1]
    assert "✓" not in found["tried"][1]
    assert "Your instructor says\n  hint 1 of 05.1\n" in found["seen"]
    assert found["caught"].startswith("Done for you: 05.1.")
    assert found["checked"].startswith("✓ 05.1")
    assert "✓ 05.1" not in found["after_the_reset"]
    assert "learner02" in found["table"]
    assert found["of_root"] == ""


@soak
def test_a_wrong_password_is_refused(class_of_two: dict[str, Any]) -> None:
    assert class_of_two["wrong_password"] == "refused"


@soak
def test_nothing_of_a_learner_runs_on_after_the_hub(class_of_two: dict[str, Any]) -> None:
    assert class_of_two["after_the_hub"] == {"learner01": {}, "learner02": {}}


@soak
def test_what_a_learner_made_is_there_under_the_next_hub(class_of_two: dict[str, Any]) -> None:
    assert "kept" in class_of_two["kept"].split()


@soak
def test_a_killed_hub_leaves_the_servers_and_the_next_one_culls_them(
    class_of_two: dict[str, Any],
) -> None:
    assert {"server", "sandbox", "engine"} <= set(class_of_two["after_the_kill"])
    assert class_of_two["after_the_cull"] == {}


@soak
def test_the_guides_other_steps_do_what_they_say(class_of_two: dict[str, Any]) -> None:
    assert "The labs are installed in /opt/labs/.venv" in class_of_two["install"]
    needs = {need["name"]: need["state"] for need in class_of_two["room"]}
    assert needs["class: ports"] == "ok"
    assert needs["class: hub"] == "ok"
    assert "/home/learner01/.labs" in class_of_two["as_a_learner"]
    assert class_of_two["removed"] == []


@soak
def test_a_full_disk_is_said_and_nothing_is_lost() -> None:
    found = play("disk", 1)
    assert found["before"]["needs"].get("disk", {}).get("state") != "missing"
    # before the start, and while the sandbox runs: `labs doctor`
    for at in (found["full"], found["again"][1]):
        assert at["code"] == 1
        assert at["needs"]["disk"]["state"] == "missing"
        assert "Free some space" in at["needs"]["disk"]["fix"]
    # then the card, and what is refused
    card, refused, repositories = found["cells"]
    assert "is full but for 0 MB" in card
    assert "The sandbox has no room left on its disk" in refused
    assert repositories.split()[-1] == "kept"
    # a notebook can be read, and what was saved stays
    assert found["opened"] == ""
    assert "No space left on device" in found["saved"]
    assert found["as it was"]
    # a server that starts on the full disk says so for a kernel, and has a terminal to free space
    assert "No space left on device" in found["again"][0]
    assert "Free some space" in found["terminal"]
    assert "/home/learner01/my-labs\r\n" in found["terminal"]
    # with room again, all goes on
    card, made, repositories = found["room"]
    assert "is full" not in card
    assert "repository/after" in made
    assert repositories.split() == ["after", "kept"]
    assert found["saved then"]


@soak
def test_twenty_learners_at_once() -> None:
    found = play("day", 20, seconds=5000)
    assert len({learner["port"] for learner in each(found)}) == 20
    assert all("engine    the labs' own" in learner["cells"][0] for learner in each(found))
    assert set(map(str, found["after_the_hub"].values())) == {"{}"}
