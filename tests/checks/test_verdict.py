"""How a check speaks, to the letter: learners and nbval read it."""

from labs_helpers.checks import CheckError, NotAttempted, NotYet, Passed
from labs_helpers.checks.verdict import DONE_BEFORE, verdict


def test_a_pass_names_its_scope() -> None:
    shown = verdict("05.1", Passed("Docker is logged in.", "This says nothing about pushes."))
    assert repr(shown) == "✓ 05.1  Docker is logged in.\n  This says nothing about pushes."
    assert shown.passed


def test_not_yet_says_what_was_seen_and_what_to_try() -> None:
    shown = verdict("05.1", NotYet("the logins", "one\ntwo", "three", "look again"))
    assert repr(shown) == (
        "✗ 05.1  not yet\n"
        "  looked at  the logins\n"
        "  found      one\n"
        "             two\n"
        "  wanted     three\n"
        "  try        look again"
    )
    assert not shown.passed


def test_an_exercise_not_tried_yet_is_calm_and_gives_nothing_away() -> None:
    shown = verdict("05.1", NotAttempted("the logins that Docker keeps for you"))
    assert repr(shown) == (
        "○ 05.1  not tried yet\n  looks at  the logins that Docker keeps for you"
    )
    assert not shown.passed
    html = shown._repr_html_()
    assert "○ 05.1  not tried yet" in html
    assert "the logins that Docker keeps for you" in html
    for colour in ("warn", "error"):
        assert colour not in html


def test_an_exercise_whose_work_is_gone_counts_as_done_before() -> None:
    shown = verdict("05.1", NotAttempted("the logins"), DONE_BEFORE)
    assert (
        repr(shown) == "○ 05.1  done before, which counts; now open again\n  looks at  the logins"
    )
    assert not shown.passed


def test_a_check_that_cannot_look_says_nothing_of_the_learner() -> None:
    shown = verdict("05.1", CheckError("AWS", "no answer", "labs status"))
    assert repr(shown).splitlines()[0] == "! 05.1  the check could not look"


def test_html_holds_the_same_words_and_no_markup_of_the_world() -> None:
    html = verdict("05.1", NotYet("<b>x", "<script>", "w", "t"))._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "✗ 05.1  not yet" in html
