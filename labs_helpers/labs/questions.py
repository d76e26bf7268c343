"""The quiz questions of a lab: ``labs/labNN/questions.json``."""

from __future__ import annotations

from labs_helpers import curriculum
from labs_helpers.display.lesson import Choice, Question


def questions(lab: str) -> dict[str, Question]:
    """A lab's questions by id, in the order of the file; empty when the lab has none."""
    return {
        entry["id"]: Question(
            id=entry["id"],
            question=entry["question"],
            right=entry["right"],
            choices={key: Choice(**choice) for key, choice in entry["choices"].items()},
        )
        for entry in curriculum.data(lab, "questions")
    }


def question(question_id: str) -> Question:
    """The question with this id; raises UnknownPart with the ids that the lab has."""
    known = questions(question_id.split(".")[0])
    if question_id not in known:
        raise curriculum.UnknownPart.among("question", question_id, known)
    return known[question_id]
