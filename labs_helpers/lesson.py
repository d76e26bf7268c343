"""The exercises, questions and progress of a lab, as a notebook holds them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from labs_helpers import answers, catch_up, checks, following, modes, notebook_output
from labs_helpers.checks.verdict import ASKED, DONE_BEFORE, UNTRIED, Verdict, verdict
from labs_helpers.control_client import LabClock
from labs_helpers.curriculum import LABS, Entry
from labs_helpers.defaults import REPOSITORY
from labs_helpers.display.prose import prose
from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.errors import LabError, spoken
from labs_helpers.files import LabsError
from labs_helpers.labs.exercises import exercise, exercises
from labs_helpers.labs.questions import question as question_of
from labs_helpers.prepare import Place, beginning
from labs_helpers.progress.journal import Journal
from labs_helpers.progress.report import report
from labs_helpers.progress.summary import DONE, LabSummary, so_far, summary

_EXAMPLES = {"quiz": "q1", "predict": "p1"}
"""How the ids of a method's questions end."""


class Lesson:
    """The exercises and questions of one lab. The rest of a lab: :class:`labs_helpers.lab.Lab`."""

    def __init__(self, title: Entry, place: Place, journal: Journal | None) -> None:
        """``journal``: where the learner's steps are noted; None when a program runs the lab."""
        self.title = title
        self.mode = place.mode
        self.account = place.account
        self.region = place.region
        self.registry = place.registry
        self.repository = REPOSITORY
        self._place = place
        self._control = place.sandbox
        self._journal = journal
        self._names = place.workspace.own_names

    @spoken
    def check(self, check_id: str = "") -> Verdict:
        """Look at the world with one check and say what was seen."""
        with notebook_output.progress("Looking at what is there ..."):
            found = self.look(check_id)
        self.note("check", check_id, checks.NAMES[type(found.outcome)])
        return found

    @spoken
    def look(self, check_id: str = "") -> Verdict:
        """What ``check`` says, without a note of it in the journal: for `labs check`."""
        self._require(check_id, "check", "exercise")
        outcome = checks.run(check_id, self._world())
        before = self._before(check_id) if isinstance(outcome, checks.NotAttempted) else UNTRIED
        return verdict(check_id, outcome, before)

    def _before(self, check_id: str) -> str:
        """What the journal says of the learner's earlier looks at an exercise (`verdict`)."""
        if self._journal is None:
            return UNTRIED
        try:
            events = self._journal.events()
        except LabsError:
            return UNTRIED  # `note` tells what is wrong with the journal
        before = UNTRIED
        for one in events:
            if (one.event, one.lab) == ("restarted", self.title.number) and before == ASKED:
                before = UNTRIED
            elif (one.event, one.part) == ("check", check_id):
                passed = one.outcome == checks.NAMES[checks.Passed]
                before = DONE_BEFORE if passed or before == DONE_BEFORE else ASKED
        return before

    def so_far(self) -> str:
        """The lab's exercises, done and open, in a line; empty where no journal can be read.

        Empty, too, without the notebook that names the exercises: a start needs no notebook.
        """
        found = self._summary()
        return so_far(found) if found else ""

    def _summary(self) -> LabSummary | None:
        """What the journal says of this lab; None where no journal or notebook can be read."""
        if self._journal is None:
            return None
        try:
            events = self._journal.events()
            known = list(exercises(self._notebook))
        except LabsError:
            return None  # `note` tells what is wrong with the journal
        return summary(self.title.number, known, events)

    @spoken
    def hint(self, check_id: str = "", number: int = 1) -> Rendering:
        """A hint of an exercise, counted from 1."""
        self._require(check_id, "hint", "exercise")
        said = exercise(self._notebook, check_id, self._names).hint(number)
        self.note("hint", check_id, str(number))
        return prose(said)

    @spoken
    def solution(self, check_id: str = "") -> Rendering:
        """One way to do an exercise."""
        self._require(check_id, "solution", "exercise")
        said = exercise(self._notebook, check_id, self._names).solution
        if not said:
            raise LabError(f"This notebook has no solution of {check_id}: it was taken out.")
        self.note("solution", check_id)
        return _passage(said)

    @spoken
    def quiz(self, question_id: str = "", answer: str | None = None) -> Rendering:
        """A question; with ``answer``, a letter, what choosing it teaches."""
        return self._question("quiz", question_id, answer)

    @spoken
    def predict(self, question_id: str = "", answer: str | None = None) -> Rendering:
        """A question about the next cells; ``answer``, a letter, is compared when they have run."""
        return self._question("predict", question_id, answer)

    @spoken
    def follow(self, check_id: str | None = None) -> Rendering | None:
        """Tick an exercise, by default each of this lab, as soon as its check passes.

        The output changes while you work, also in a terminal. It ends when every tick is there,
        with another ``follow``, or with the kernel. Where a program runs the notebook, nothing is
        shown; on AWS, where each look would be several requests, ``lab.check`` is the way.
        """
        if check_id is not None:
            self._require(check_id, "follow", "exercise")
        if self.mode == modes.AWS:
            return paragraph("On AWS nothing looks by itself: run lab.check when you are done.")
        if not notebook_output.someone_looks():
            return None
        known = exercises(self._notebook)
        ids = list(known) if check_id is None else [exercise(self._notebook, check_id).id]
        done = following.Exercises(ids, self._passes, lambda one: self.note("check", one, "passed"))
        drawing, more = done.look()
        if not more:
            return drawing
        following.follow("exercises", done.drawn(), done.look)
        return None

    @spoken
    def progress(self) -> Rendering | None:
        """Every lab: which exercises are done, your own minutes, and where to go on.

        In a notebook that somebody looks at, the list is kept up to date.
        """
        if self._journal is None or not notebook_output.someone_looks():
            return self._report()
        seen = self._journal.size

        def again() -> tuple[Rendering | None, bool]:
            nonlocal seen
            before, seen = seen, journal.size
            return (self._report() if seen != before else None), True

        journal = self._journal
        following.follow("progress", self._report(), again)
        return None

    def _report(self) -> Rendering:
        events = self._journal.events() if self._journal else []
        return report(self._place.workspace, events, self.title.number)

    @spoken
    def catch_up(self, exercise_id: str | None = None) -> Rendering:
        """Do the exercises up to and including this one, by default all, with their solutions.

        Runs the lab's cells in this kernel, from the last exercise whose check passes: what they
        make is made again, also what you deleted. Where they run from the first, what is gone of
        the lab's beginning is made before, as ``lab.bring_back`` does. An exercise that is done
        this way counts as shown, unless you had done it before. Raises LabError when a check still
        does not pass, with the cells that failed, and at once where the lab's beginning is gone
        and does not come back alone.
        """
        if exercise_id is not None:
            self._require(exercise_id, "catch_up", "exercise")
        before = self._summary()
        done = [one.id for one in before.parts if one.state == DONE] if before else None
        caught = catch_up.catch_up(
            self._notebook, exercise_id, self._passes, self._names, self._begin, self._seen
        )
        for one in caught.shown:
            self.note("shown", one)
        return caught.drawn(done)

    def _passes(self, check_id: str) -> bool:
        return isinstance(checks.run(check_id, self._world()), checks.Passed)

    def _begin(self, wanted: str) -> str:
        """Make what is gone of the lab's beginning; what was made, in words, empty for nothing.

        Raises LabError for what does not come back alone; on AWS, where nothing is made without a
        word of the learner's, for all that is gone.
        """
        number = self.title.number
        if self.mode == modes.AWS:
            if gone := beginning.what_is_gone(number, self._place):
                raise LabError(f"Nothing was run. {gone}")
            return ""
        if gone := "; ".join(beginning.stays_gone(number, self._place)):
            raise LabError(
                f"Nothing was run. Gone, of what this lab began with: {gone}.\n"
                "Make the lab's beginning again, and catch up from there:\n"
                f'  lab.restart()\n  lab.catch_up("{wanted}")'
            )
        with notebook_output.progress("Looking at what is gone of the lab's beginning ..."):
            back = beginning.bring_back(number, self._place)
        if not back.made:
            return ""
        removed = f" Removed for it: {'; '.join(back.removed)}." if back.removed else ""
        return (
            f"What was gone of the lab's beginning is back first: {'; '.join(back.made)}.{removed}"
        )

    def _seen(self, wanted: str) -> str:
        """What the check of an exercise finds, and what is gone, in lines; empty for nothing."""
        found = verdict(wanted, checks.run(wanted, self._world())).text
        gone = beginning.what_is_gone(self.title.number, self._place)
        return "".join(f"{each}\n" for each in (found, gone) if each)

    def _question(self, method: str, question_id: str, answer: str | None) -> Rendering:
        self._require(question_id, method, "question")
        return answers.ask(question_of(question_id, method, self._names), answer, self._journal)

    def note(self, event: str, part: str = "", outcome: str = "") -> None:
        """Note a step of the learner; a journal that cannot be written stops nothing."""
        if self._journal is None:
            return
        try:
            self._journal.add(event, part.split(".")[0] or self.title.number, part, outcome)
        except LabsError as fault:
            print(f"The labs cannot keep your progress. {fault}")

    def _require(self, part_id: object, method: str, kind: str) -> None:
        """Raise LabError, with an example, for what is no id of an exercise or question."""
        example = f'lab.{method}("{self.title.number}.{_EXAMPLES.get(method, "1")}")'
        if not part_id:
            raise LabError(f"Which {kind}? Write its id, as in  {example}")
        if not isinstance(part_id, str):
            raise LabError(f"An id is written in quotes, as in  {example}")
        if part_id.split(".")[0] not in LABS:
            raise LabError(
                f"There is no {kind} {part_id!r}. An id begins with a lab's two digits, as in\n"
                f"  {example}"
            )

    @property
    def _notebook(self) -> Path:
        path = self._place.workspace.notebooks / self.title.notebook
        if not path.exists():
            raise LabError(f"The hints are in notebooks/{path.name}, and it is not there.")
        return path

    def _world(self) -> checks.World:
        config = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
        return checks.World(
            account=self.account,
            region=self.region,
            repository=self.repository,
            docker_config=Path(config),
            now=self._now,
            address=os.environ["AWS_ENDPOINT_URL"] if self.mode == modes.SANDBOX else None,
        )

    def _now(self) -> datetime:
        return LabClock(self._control).now if self._control else datetime.now(UTC)


def _passage(text: str) -> Rendering:
    return Rendering(text, f'<pre style="white-space:pre-wrap">{escape(text)}</pre>')
