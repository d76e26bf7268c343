"""The questions of a lab: ``labs/labNN/questions.json`` and ``labs/labNN/predictions.json``.

A prediction also names the cell that shows what happens, in ``shown_by``. ``after`` are the cells
between, which make what is shown, and ``may_fail`` says that the lesson shows a failure.
"""

from __future__ import annotations

from labs_helpers import curriculum
from labs_helpers.display.lesson import Choice, Question
from labs_helpers.own_names import USUAL, OwnNames


def questions(lab: str, names: OwnNames = USUAL) -> dict[str, Question]:
    """A lab's questions by id: the quiz, then the predictions; empty when the lab has none.

    The texts have the account and the region of ``names``.
    """
    return {
        entry["id"]: Question(
            id=entry["id"],
            question=names.of(entry["question"]),
            right=entry["right"],
            choices={
                key: Choice(names.of(choice["text"]), names.of(choice["says"]))
                for key, choice in entry["choices"].items()
            },
            shown_by=entry.get("shown_by", ""),
            after=tuple(entry.get("after", ())),
            may_fail=entry.get("may_fail", False),
        )
        for name in ("questions", "predictions")
        for entry in curriculum.data(lab, name)
    }


def question(question_id: str, method: str = "", names: OwnNames = USUAL) -> Question:
    """The question with this id, of ``quiz`` or ``predict`` when ``method`` says so.

    Raises UnknownPart with the ids that the lab has.
    """
    asked = questions(question_id.split(".")[0], names)
    known = {key: one for key, one in asked.items() if method in ("", one.method)}
    if question_id not in known:
        raise curriculum.UnknownPart.among("question", question_id, known)
    return known[question_id]


def shown_by(cell: str, names: OwnNames = USUAL) -> list[Question]:
    """The predictions that the cell with this id shows; a lab's cells begin with its number."""
    lab = cell.partition("-")[0]
    return [one for one in questions(lab, names).values() if cell and one.shown_by == cell]
