"""The questions of every lab: the quiz, and what a learner predicts."""

import json
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.curriculum import LABS, UnknownPart
from labs_helpers.labs.questions import question, questions, shown_by

PROJECT = Path(__file__).parents[2]


def cells(lab: str) -> list[dict[str, Any]]:
    path = PROJECT / "notebooks" / LABS[lab].notebook
    return [
        {
            "id": cell["id"],
            "kind": cell["cell_type"],
            "source": "".join(cell["source"]),
            "tags": cell["metadata"].get("tags", []),
        }
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    ]


@pytest.mark.parametrize("lab", LABS)
def test_quiz_questions_explain_every_choice(lab: str) -> None:
    for one in questions(lab).values():
        assert one.right in one.choices
        assert all(choice.says for choice in one.choices.values())
        said = one.judged(one.right).text
        assert said.startswith("You predicted" if one.shown_by else "✓")
        assert "✓" in said


@pytest.mark.parametrize("lab", LABS)
def test_the_notebook_asks_every_question_once(lab: str) -> None:
    asked = [cell["source"] for cell in cells(lab) if cell["kind"] == "code"]
    for one in questions(lab).values():
        begin = f'lab.{one.method}("{one.id}"'
        assert sum(source.startswith(begin) for source in asked) == 1, one.id


@pytest.mark.parametrize("lab", LABS)
def test_a_prediction_is_asked_before_the_cell_that_shows_what_happens(lab: str) -> None:
    ids = [cell["id"] for cell in cells(lab)]
    sources = {cell["id"]: cell["source"] for cell in cells(lab)}
    for one in questions(lab).values():
        if one.shown_by:
            (asking,) = [name for name in ids if f'lab.predict("{one.id}"' in sources[name]]
            assert ids.index(asking) < ids.index(one.shown_by), one.id
            assert one in shown_by(one.shown_by)


@pytest.mark.parametrize("lab", LABS)
def test_a_prediction_names_the_cells_that_make_what_is_shown(lab: str) -> None:
    listed = cells(lab)
    tags = {cell["id"]: set(cell["tags"]) for cell in listed}
    for one in questions(lab).values():
        if not one.shown_by:
            continue
        begin = next(n for n, c in enumerate(listed) if f'lab.predict("{one.id}"' in c["source"])
        end = next(n for n, c in enumerate(listed) if c["id"] == one.shown_by)
        between = [
            cell["id"]
            for cell in listed[begin + 1 : end]
            if cell["kind"] == "code"
            and not tags[cell["id"]] & {"exercise", "raises-exception"}
            and not cell["source"].startswith("lab.predict(")
        ]
        assert list(one.after) == between, one.id
        assert one.may_fail == ("raises-exception" in tags[one.shown_by]), one.id


@pytest.mark.parametrize("lab", LABS)
def test_each_text_that_says_predict_is_followed_by_its_question(lab: str) -> None:
    all_cells = cells(lab)
    says = [
        place
        for place, cell in enumerate(all_cells)
        if cell["kind"] == "markdown" and "**Predict" in cell["source"]
    ]
    asks = [
        place
        for place, cell in enumerate(all_cells)
        if cell["kind"] == "code" and cell["source"].startswith("lab.predict(")
    ]
    assert asks == [place + 1 for place in says]


@pytest.mark.parametrize("lab", LABS)
def test_the_text_above_a_question_does_not_ask_the_question_too(lab: str) -> None:
    for cell in cells(lab):
        if cell["kind"] == "markdown" and "**Predict" in cell["source"]:
            assert "?" not in cell["source"].partition("**Predict")[2], cell["id"]


def test_an_unknown_question_lists_what_there_is() -> None:
    with pytest.raises(UnknownPart, match=r"05\.q1"):
        question("05.q9")


def test_a_question_of_the_other_kind_is_unknown() -> None:
    with pytest.raises(UnknownPart, match=r"There is no question '05\.p1'.*05\.q1"):
        question("05.p1", "quiz")
