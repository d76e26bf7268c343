"""The quiz questions of every lab."""

import pytest

from labs_helpers.curriculum import LABS, UnknownPart
from labs_helpers.labs.questions import question, questions


@pytest.mark.parametrize("lab", LABS)
def test_quiz_questions_explain_every_choice(lab: str) -> None:
    for one in questions(lab).values():
        assert one.right in one.choices
        assert all(choice.says for choice in one.choices.values())
        assert one.answer(one.right).text.startswith("✓")


def test_an_unknown_question_lists_what_there_is() -> None:
    with pytest.raises(UnknownPart, match=r"05\.q1"):
        question("05.q9")
