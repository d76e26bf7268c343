"""A learner's answers to the questions of a lab, kept in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from labs_helpers.curriculum import UnknownPart
from labs_helpers.display.lesson import Question, form
from labs_helpers.display.rendering import Rendering
from labs_helpers.labs.questions import question, shown_by
from labs_helpers.progress.journal import Journal
from labs_helpers.workspace import Workspace


def ask(asked: Question, answer: str | None, journal: Journal | None) -> Rendering:
    """The question, or what follows from the letter ``answer``, which ``journal`` keeps."""
    if answer is None:
        return form(asked, last(asked.id, journal) if journal else "")
    key = asked.key(answer)
    if key is None:
        return asked.unknown()
    if journal is not None:
        journal.add(asked.method, asked.id.split(".")[0], asked.id, key)
    if asked.shown_by and not (journal and _is_compared(asked.id, journal)):
        return asked.kept(key)
    return asked.judged(key)


def _is_compared(question_id: str, journal: Journal) -> bool:
    """Whether the lesson has shown what happens, since the lab was last started over."""
    lab = question_id.split(".")[0]
    kinds = [
        event.event
        for event in journal.events()
        if (event.event, event.part) == ("compared", question_id)
        or (event.event, event.lab) == ("restarted", lab)
    ]
    return kinds[-1:] == ["compared"]


def keep(question_id: str, letter: str) -> None:
    """Keep the choice that was opened in a question's form, in this workspace's journal.

    Raises UnknownPart for a question or letter that there is not, and WorkspaceError when the
    answer cannot be written.
    """
    journal = Journal(Workspace.find())
    asked = question(question_id, names=journal.own_names)
    if asked.key(letter) is None:
        raise UnknownPart.among("choice", letter, asked.choices)
    ask(asked, letter, journal)


def kept(question_id: str) -> str:
    """The key of the last answer in this workspace's journal; empty when there is none."""
    return last(question_id, Journal(Workspace.find()))


def last(question_id: str, journal: Journal) -> str:
    """The key of the last answer to a question; empty when there is none."""
    events = (event for event in journal.events() if event.part == question_id)
    answers = [event.outcome for event in events if event.event in ("quiz", "predict")]
    return answers[-1] if answers else ""


def compared(
    cell: str, journal: Journal, failed: bool = False, ran: Mapping[str, datetime] | None = None
) -> list[Rendering]:
    """The comparisons for the predictions that the cell with this id shows, each shown once.

    A cell that is run again later may show something else than in the lesson. failed: the cell has
    raised, which shows only what the lesson shows by a failure. ran: when the cells of this session
    last ran to their end; what ran before the lab was started over has made nothing of now.
    """
    if not (shown := shown_by(cell, journal.own_names)):
        return []  # most cells: the journal is not read for them
    events = journal.events()
    latest = {event.part: event for event in events}
    over = {event.lab: event.at for event in events if event.event == "restarted"}
    made = []
    for one in shown:
        event = latest.get(one.id)
        if not event or event.event != "predict" or event.outcome not in one.choices:
            continue
        if failed and not one.may_fail:
            continue
        begun = over.get(event.lab)
        times = [(ran or {}).get(each) for each in one.after]
        if not all(at and (begun is None or at > begun) for at in times):
            made.append(one.too_early())
            continue
        journal.add("compared", event.lab, one.id)
        made.append(one.judged(event.outcome))
    return made
