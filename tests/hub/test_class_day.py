"""docs/jupyterhub.md, followed with a real JupyterHub and two learners of the system."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hub import machine

# three starts of JupyterHub and three of JupyterLab: 70 seconds of CPU, too much for `make test`
pytestmark = pytest.mark.soak

PROXY = "configurable-http-proxy"


def day(learners: int, *options: str, seconds: float = 1200.0) -> dict[str, Any]:
    """A day of a class; see class_day.py."""
    machine.needs()
    proxy = shutil.which(PROXY)
    if proxy is None:
        why = f"not installed: {PROXY} (npm install --global {PROXY}@5)"
        if os.environ.get("LABS_REQUIRE_CLIENTS"):
            pytest.fail(why)
        pytest.skip(why)
    environ = (f"LABS_TEST_PROXY={Path(proxy).parent}", f"PYTHONPATH={machine.LABS}")
    module = (sys.executable, "-P", "-m", "tests.hub.class_day", str(learners))
    found: dict[str, Any] = machine.run(["env", *environ, *module, *options], seconds=seconds)
    return found


@pytest.fixture(scope="module")
def class_of_two() -> dict[str, Any]:
    return day(2)


def each(found: dict[str, Any]) -> list[dict[str, Any]]:
    assert found["learners"]
    return list(found["learners"])


def test_each_learner_finds_the_workbook_and_nothing_else(class_of_two: dict[str, Any]) -> None:
    for learner in each(class_of_two):
        assert learner["files"][:3] == ["00-start-here.ipynb", "01-aws-cli", "02-iam"]
        assert "10-clean-up" in learner["files"]


def test_lab_00_runs_on_the_learners_own_sandbox(class_of_two: dict[str, Any]) -> None:
    for learner in each(class_of_two):
        card, identity, engine, *_ = learner["cells"]
        assert "engine    the labs' own" in card
        assert "arn:aws:iam::123456789012:user/learner" in identity
        assert "Labs engine" in engine
    assert len({learner["port"] for learner in each(class_of_two)}) == 2


def test_a_terminal_has_the_labs_commands(class_of_two: dict[str, Any]) -> None:
    for learner in each(class_of_two):
        shown = learner["terminal"]
        assert '"mode": "sandbox"' in shown
        assert "\n123456789012\r\n" in shown
        assert "Labs engine" in shown
        assert "/.labs/bin/aws\r\n" in shown
        assert "/.labs/bin/docker\r\n" in shown


def test_state_and_workbook_are_in_the_learners_home(class_of_two: dict[str, Any]) -> None:
    for number, learner in enumerate(each(class_of_two), 1):
        home = f"/home/learner{number:02}"
        assert f"{home}/my-labs\r\n{home}/.labs\r\n" in learner["terminal"]
        assert learner["mode"] == "0o700"
        assert not learner["others_may_read"]


def test_learners_do_not_share_the_docker_daemon_of_the_machine(
    class_of_two: dict[str, Any],
) -> None:
    assert [learner["engine"] for learner in each(class_of_two)] == ["embedded", "embedded"]


def test_a_wrong_password_is_refused(class_of_two: dict[str, Any]) -> None:
    assert class_of_two["wrong_password"] == "refused"


def test_nothing_of_a_learner_runs_on_after_the_hub(class_of_two: dict[str, Any]) -> None:
    assert class_of_two["after_the_hub"] == {"learner01": {}, "learner02": {}}


def test_what_a_learner_made_is_there_under_the_next_hub(class_of_two: dict[str, Any]) -> None:
    assert "kept\r\n" in class_of_two["kept"]


def test_a_killed_hub_leaves_the_servers_and_the_next_one_culls_them(
    class_of_two: dict[str, Any],
) -> None:
    assert {"server", "sandbox", "engine"} <= set(class_of_two["after_the_kill"])
    assert class_of_two["after_the_cull"] == {}


def test_the_guides_other_steps_do_what_they_say(class_of_two: dict[str, Any]) -> None:
    assert "The labs are installed in /opt/labs/.venv" in class_of_two["install"]
    needs = {need["name"]: need["state"] for need in class_of_two["room"]}
    assert needs["class: ports"] == "ok"
    assert needs["class: hub"] == "ok"
    assert "/home/learner01/.labs" in class_of_two["as_a_learner"]
    assert class_of_two["removed"] == []


def test_twenty_learners_at_once() -> None:
    found = day(20, seconds=1800)
    assert len({learner["port"] for learner in each(found)}) == 20
    assert all("engine    the labs' own" in learner["cells"][0] for learner in each(found))
    assert set(map(str, found["after_the_hub"].values())) == {"{}"}


def test_jupyterhubs_own_time_outs_are_enough_for_two_at_once() -> None:
    # in `make test` other tests have the cores
    found = day(2, "--Spawner.start_timeout=60", "--Spawner.http_timeout=30")
    assert len(each(found)) == 2
