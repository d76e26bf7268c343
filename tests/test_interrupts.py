"""What is held of a stream until it is known whether the learner interrupted the program."""

from __future__ import annotations

import io

import pytest

from labs_helpers.interrupts import Tracebacks

TRACE = 'Traceback (most recent call last):\n  File "aws", line 5, in <module>\n    main()\n'
STOPPED, FAILED = f"{TRACE}KeyboardInterrupt\n", f"{TRACE}ValueError: no\n"


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("interrupted", [True, False])
def test_only_the_traceback_of_an_interrupt_is_left_out(size: int, interrupted: bool) -> None:
    given = f"a warning\n{FAILED}{STOPPED}the end\nno newline"
    shown = io.StringIO()
    held = Tracebacks(shown)
    for begin in range(0, len(given), size):
        held.write(given[begin : begin + size])
    held.end(interrupted)
    assert FAILED in shown.getvalue()
    assert shown.getvalue().replace(STOPPED, "") == given.replace(STOPPED, "")
    assert (STOPPED in shown.getvalue()) == (not interrupted)


def test_what_comes_after_the_interrupt_is_judged_alike() -> None:
    shown = io.StringIO()
    held = Tracebacks(shown)
    held.write(TRACE)
    held.end(interrupted=True)
    held.write(f"KeyboardInterrupt\n{STOPPED}{FAILED}")
    assert shown.getvalue() == FAILED


def test_a_program_that_is_ended_in_its_traceback_shows_none_of_it() -> None:
    shown = io.StringIO()
    held = Tracebacks(shown)
    held.write(TRACE)
    held.end(interrupted=True)
    assert shown.getvalue() == ""


def test_other_text_is_shown_at_once() -> None:
    shown = io.StringIO()
    held = Tracebacks(shown)
    for text in ("50%\r", "100%\r\n", "Password: "):
        held.write(text)
    assert shown.getvalue() == "50%\r100%\r\nPassword: "
