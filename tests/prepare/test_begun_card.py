"""The card of a lab that was begun: what is gone since; and the card of a beginning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from labs_helpers.curriculum import LABS
from labs_helpers.prepare import Place, beginning, steps
from labs_helpers.prepare.record import Entry
from labs_helpers.prepare.step import Step
from labs_helpers.workspace import Workspace

BEGUN = Entry(finished=True)


def nothing(place: Place) -> None:
    """A step that finds all as it should be."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    workspace = Workspace(tmp_path / "labs", tmp_path).create()
    return Place(workspace, "sandbox", "123456789012", "us-west-2")


def listed(monkeypatch: pytest.MonkeyPatch, *given: Step) -> None:
    monkeypatch.setattr(beginning, "steps", lambda number, mode: given)


def test_a_begun_lab_names_what_is_gone_and_how_to_begin_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(
        monkeypatch,
        Step("a role is there", nothing),
        Step("a service runs", nothing, lost=lambda place: "the service web"),
        Step("a bucket is there", nothing, lost=lambda place: ""),
        Step("a pipeline is there", nothing, lost=lambda place: "the pipeline demo-app"),
    )
    begun = beginning.go_on("11", place, BEGUN)
    card = beginning.card_of(LABS["11"], place, "", begun).text
    assert "begun earlier: nothing that you made was changed" in card
    assert "gone, as after a clean-up: the service web and the pipeline demo-app" in card
    assert "to do the lab again: lab.restart() makes its beginning" in card


def test_what_comes_back_alone_is_said_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    listed(
        monkeypatch,
        Step(
            "a service runs",
            lambda place: made.append("over"),
            lambda place: True,
            back=lambda place: made.append("back"),
            lost=lambda place: "the service web",
        ),
        Step("a repository is there", lambda place: made.append("repository"), lambda place: True),
    )
    notes = beginning.go_on("12", place, BEGUN).notes
    assert notes[0] == "gone, as after a clean-up: the service web"
    assert notes[-1].startswith("lab.bring_back() makes only what is gone")
    assert "What you deleted on purpose" in notes[-1]
    said = beginning.what_is_gone("12", place)
    assert said == (
        "Gone, of what this lab began with: the service web; a repository is there. "
        "lab.bring_back() makes it again, and changes nothing else."
    )
    assert beginning.bring_back("12", place).made == ("a service runs", "a repository is there")
    assert made == ["back", "repository"]


def test_what_does_not_come_back_alone_is_named_and_what_makes_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(
        monkeypatch,
        Step("a repository is there", nothing, lambda place: True),
        Step("the pipeline has delivered", nothing, lost=lambda place: "the pipeline demo-app"),
        Step("no front", nothing, cleaned_up=lambda place: "the service front"),
    )
    said = beginning.bring_back("11", place)
    assert said.text == (
        "Back again: a repository is there. What the lesson's cells had made, they make again. "
        "Not brought back, since it does not come back alone: the pipeline demo-app. "
        "lab.restart() makes the lab's beginning again, and keeps a snapshot of what is there."
    )


def test_what_the_cells_had_made_is_named_where_the_card_names_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(monkeypatch, Step("no front", nothing, cleaned_up=lambda place: "the service front"))
    card = beginning.go_on("12", place, BEGUN).notes
    assert card[0] == "gone, as after a clean-up: the service front"
    assert beginning.bring_back("12", place).text.startswith(
        "Gone, and made by the lesson's cells: the service front. They make it again; lab.restart()"
    )


def test_what_was_in_the_way_of_what_came_back_is_said(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def makes(place: Place) -> None:
        place.removed.append("image demo-app:1.0.0")

    listed(monkeypatch, Step("images are there", makes, lambda place: True))
    place.removed.append("of an earlier start")
    assert beginning.bring_back("12", place).removed == ("image demo-app:1.0.0",)
    assert "Removed for it: image demo-app:1.0.0." in beginning.bring_back("12", place).text


def test_where_all_is_there_nothing_is_brought_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(monkeypatch, Step("a service runs", nothing, lambda place: False))
    assert beginning.bring_back("12", place).text == (
        "Nothing to bring back: what this lab began with is there."
    )


def test_on_aws_what_is_gone_is_for_prepare(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, Step("a service runs", nothing, lost=lambda place: "the service web"))
    said = beginning.what_is_gone("12", replace(place, mode="aws"))
    assert said == "Not there, of what this lab begins with: the service web. See lab.prepare()."


def test_a_begun_lab_of_which_nothing_is_gone_says_nothing_more(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(monkeypatch, Step("a service runs", nothing, lost=lambda place: ""))
    assert beginning.go_on("11", place, BEGUN).notes == ()


def test_a_fact_that_a_later_step_ends_is_not_on_the_card(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(
        monkeypatch,
        Step("no pipeline", nothing, passing=True),
        Step("the pipeline has delivered", nothing),
    )
    assert beginning.make("11", place).facts == ("the pipeline has delivered",)


def test_the_card_of_lab_11_has_the_state_in_which_the_lab_begins() -> None:
    facts = [step.fact for step in steps("11", "sandbox") if not step.passing]
    assert not [one for one in facts if "no pipeline" in one or "without images" in one]
    assert not [one for one in facts if "not a git repository" in one or "1.0.0" in one]
    assert facts[-1].startswith("the lab's folder is a git repository; the pipeline demo-app has")
