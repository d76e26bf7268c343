"""A lab's beginning, made once and then only when the learner asks; and the card of a lab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from labs_helpers import curriculum
from labs_helpers.display import card
from labs_helpers.display.rendering import Rendering
from labs_helpers.errors import FOR_THE_LEARNER, Interrupted, LabError
from labs_helpers.files import WorkspaceError
from labs_helpers.prepare import Place, Step, files, steps
from labs_helpers.prepare.record import Entry, Record
from labs_helpers.prepare.step import count, few
from labs_helpers.snapshots import store

ONLY_THAT = (
    "lab.bring_back() makes only what is gone, and leaves the rest as you have it. What you "
    "deleted on purpose, as an exercise asks, you need not bring back"
)
STAYS_GONE = "lab.restart() makes the lab's beginning again, and keeps a snapshot of what is there"
EARLIER = "begun earlier: nothing that you made was changed. To start over: lab.restart()"


@dataclass(frozen=True)
class Beginning:
    """What a start found or made.

    facts: what holds now, when the beginning was made; None when the lab was begun earlier.
    removed: what was there and was taken away for it. notes: what else the learner has to know.
    snapshot: how to bring back what was there; empty where nothing was kept. so_far: the lab's
    exercises, done and open.
    """

    facts: tuple[str, ...] | None
    removed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    snapshot: str = ""
    so_far: str = ""


@dataclass(frozen=True)
class BroughtBack:
    """What ``bring_back`` did: each in words.

    made: what it made again. stays_gone: what the lab began with, is gone, and only a restart
    makes. cells: what the lesson's cells had made, and is gone. removed: what was in the way.
    """

    made: tuple[str, ...] = ()
    stays_gone: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the learner is told."""
        if not (self.made or self.stays_gone or self.cells):
            return "Nothing to bring back: what this lab began with is there."
        said = []
        if self.made:
            said.append(
                f"Back again: {'; '.join(self.made)}. "
                "What the lesson's cells had made, they make again."
            )
        if self.removed:
            said.append(f"Removed for it: {'; '.join(self.removed)}.")
        if self.stays_gone:
            said.append(
                f"Not brought back, since it does not come back alone: "
                f"{'; '.join(self.stays_gone)}. {STAYS_GONE}."
            )
        elif self.cells:
            said.append(
                f"Gone, and made by the lesson's cells: {'; '.join(self.cells)}. "
                f"They make it again; {STAYS_GONE}."
            )
        return " ".join(said)


_LINES = 4
"""The most lines about images on a card."""

Say = Callable[[str], object]
"""Told what is being done, in a line."""


def quiet(line: str) -> None:
    """Tell nobody."""


def go_on(number: str, place: Place, found: Entry | None, say: Say = quiet) -> Beginning:
    """Make the beginning of a lab that is not begun; leave any other lab as it is.

    ``found`` is the lab's entry in the record, read before the lab's work folder was made. Raises
    as :func:`make` does.
    """
    if found is None or not found.finished:
        return make(number, place, say, over=False)
    listed = steps(number, place.mode)
    for step in listed:
        if step.kernel:
            step.ensure(place)
    notes: tuple[str, ...] = ()
    lost = _lost(listed, place)
    if names := [*lost.values(), *_made_by_cells(listed, place)]:
        notes += (
            f"gone, as after a clean-up: {' and '.join(names)}",
            "to do the lab again: lab.restart() makes its beginning, with all that it needs",
        )
        if lost and all(step.gone is not None for step in lost):
            notes += (ONLY_THAT,)
    if found.since:
        listed = tuple(step for step in listed if step not in lost)
        notes += _removed_since(found, [step for step in listed if _is_gone(step, place)], place)
    if found.assumed:
        notes += ("the record of begun labs was missing or damaged, so this lab counts as begun",)
    return Beginning(None, notes=notes)


def make(number: str, place: Place, say: Say = quiet, over: bool = True) -> Beginning:
    """Make a lab's beginning in the sandbox, whatever was there, and record the lab as begun.

    over: as if the lab had been begun before; False leaves out the steps for that (`Step.over`).

    Raises LabError when a step cannot be done, with the step, the reason and what had been removed
    until then; the lab is then not begun, and the record keeps what happened for the next start.
    """
    record = Record(place.workspace)
    found = record.entry(number)
    unfinished = found if found and not found.finished else Entry(finished=False)
    record.write(number, unfinished)
    place.removed[:] = unfinished.removed
    place.kept.clear()
    place.laid.clear()
    wanted = tuple(one for one in steps(number, place.mode) if over or not one.over)
    for step in _in_order(wanted):
        say(f"Making the lab's beginning: {place.workspace.own_names.of(step.fact)} ...")
        try:
            step.ensure(place)
        except BaseException as fault:
            _stopped(number, place, step, fault)
            raise
    record.write(number, Entry(finished=True), place.removed)
    facts = tuple(place.workspace.own_names.of(step.fact) for step in wanted if not step.passing)
    notes = _notes(found) if found is unfinished else ()
    return Beginning(facts, tuple(place.removed), (*notes, *place.kept))


def start_over(number: str, place: Place, say: Say = quiet) -> Beginning:
    """Make a lab's beginning again, and keep all that was there as a snapshot first.

    Raises LabError as :func:`make` does, and for what cannot be kept; then nothing is removed.
    """
    why = f"before lab {number} was started over"
    say("Keeping a snapshot of all that is there ...")
    kept = store.save_automatically(place.workspace, f"lab{number}", why, number)
    gone = files.missing(number, place)
    made = make(number, place, say)
    back = [name for name in gone if name not in files.missing(number, place)]
    notes = [f"came back, after you had removed them: {few(back)}"] if back else []
    if more := files.others(number, place):
        notes.append(f"other files in the lab's folder stay as they are: {few(more)}")
    snapshot = f"all that was there is kept; to bring it back: {kept.how_to_restore}"
    return replace(made, notes=(*made.notes, *notes), snapshot=snapshot)


def make_on_aws(number: str, place: Place, agreed: str | None) -> Beginning:
    """Make what a lab starts from in a real account, if the learner names the account.

    Raises LabError with what would be made when ``agreed`` is not the account, and as a step does.
    """
    wanted = steps(number, place.mode)
    if agreed != place.account:
        raise LabError(
            f"This works in the real account {place.account}. It makes sure that:\n"
            + "\n".join(f"  {step.fact}{_price(step, place)}" for step in wanted)
            + f'\nIf you want that, run  lab.prepare(account="{place.account}")'
        )
    place.removed.clear()
    for step in wanted:
        step.ensure(place)
    return Beginning(tuple(step.fact for step in wanted), tuple(place.removed))


def _price(step: Step, place: Place) -> str:
    """What a step's thing costs, behind its fact; empty where it costs next to nothing."""
    return f"; {step.costs(place)}" if step.costs is not None else ""


def bring_back(number: str, place: Place) -> BroughtBack:
    """Make the things of a lab's beginning that come back alone, and name those that do not.

    Raises as a step does.
    """
    back = []
    place.removed.clear()
    listed = steps(number, place.mode)
    for step in _in_order(listed):
        if _is_gone(step, place):
            (step.back or step.ensure)(place)
            back.append(place.workspace.own_names.of(step.fact))
    found = Record(place.workspace).entry(number)
    if found is not None:
        Record(place.workspace).write(number, replace(found, since=()))
    cells = _made_by_cells(listed, place)
    return BroughtBack(
        tuple(back), stays_gone(number, place), tuple(cells), tuple(dict.fromkeys(place.removed))
    )


def stays_gone(number: str, place: Place) -> tuple[str, ...]:
    """What the lab began with, is gone, and ``bring_back`` does not make; in words."""
    listed = steps(number, place.mode)
    return tuple(name for step, name in _lost(listed, place).items() if step.gone is None)


def what_is_gone(number: str, place: Place) -> str:
    """What a begun lab began with and is gone, and what makes it again, in a line; empty for none.

    On AWS, too. Raises as a step does.
    """
    listed = steps(number, place.mode)
    lost = _lost(listed, place)
    over = any(step.gone is None for step in lost)
    alone = [step for step in listed if step not in lost and not over and _is_gone(step, place)]
    names = [*lost.values(), *(place.workspace.own_names.of(step.fact) for step in alone)]
    if not names:
        return ""
    if place.mode == "aws":
        return f"Not there, of what this lab begins with: {'; '.join(names)}. See lab.prepare()."
    alone_again = "lab.bring_back() makes it again, and changes nothing else"
    how = f"{STAYS_GONE if over else alone_again}."
    return f"Gone, of what this lab began with: {'; '.join(names)}. {how}"


def _lost(listed: Sequence[Step], place: Place) -> dict[Step, str]:
    """The steps whose thing is gone, with its name in words (`Step.lost`)."""
    named = ((step, step.lost(place)) for step in listed if step.lost is not None)
    return {step: name for step, name in named if name}


def _made_by_cells(listed: Sequence[Step], place: Place) -> list[str]:
    """What the lesson's cells had made, and is gone, in words (`Step.cleaned_up`)."""
    named = (step.cleaned_up(place) for step in listed if step.cleaned_up is not None)
    return [name for name in named if name]


def _is_gone(step: Step, place: Place) -> bool:
    """Whether a step made a thing that is missing, so that ``bring_back`` makes it again."""
    return step.gone is not None and step.gone(place)


def _removed_since(found: Entry, gone: Sequence[Step], place: Place) -> tuple[str, ...]:
    """What the card says of what other labs removed: what ``bring_back`` makes, and a line."""
    labs = sorted({one.partition(":")[0] for one in found.since})
    cards = "its card" if len(labs) == 1 else "their cards"
    things = count(len(found.since), "thing")
    removed = f"{' and '.join(labs)} removed {things} since then, as {cards} said"
    if not gone:
        return (f"{removed}; all that this lab began with is there",)
    return (
        "this held when the lab began, and no longer; lab.bring_back() makes it so again, and "
        "changes nothing else:",
        *(place.workspace.own_names.of(step.fact) for step in gone),
        removed,
    )


def card_of(
    title: curriculum.Entry,
    place: Place,
    engine: str,
    begun: Beginning | None = None,
    notes: Sequence[str] = (),
) -> Rendering:
    """What a lab is, where it works, and what it made or needs.

    ``begun`` is what a start found or made. Without it, as on AWS, the card lists what the lab
    needs. ``notes``: what else the card says.
    """
    begun = begun or Beginning(tuple(step.fact for step in steps(title.number, place.mode)))
    return card.card(
        f"lab {title.number} · {title.name}",
        card.Setting(place.mode, place.account, place.region, place.registry, engine),
        (EARLIER,) if begun.facts is None else begun.facts,
        "needs" if place.mode == "aws" else "ready",
        _in_few_lines(begun.removed, place.registry),
        (*begun.notes, *notes),
        begun.snapshot,
        begun.so_far,
    )


def _in_few_lines(removed: Sequence[str], registry: str) -> list[str]:
    """What was removed, with the names of local images in one line where there are many."""
    images = [one for one in removed if one.startswith("image ")]
    if len(images) <= _LINES:
        return list(removed)
    full = (one.removeprefix("image ").removeprefix(f"{registry}/") for one in images)
    short = list(dict.fromkeys(full))
    said = f"{len(short)} names of local images: {few(short)}"
    place = removed.index(images[0])
    rest = [one for one in removed if one not in images]
    return [*rest[:place], said, *rest[place:]]


def _notes(unfinished: Entry) -> tuple[str, ...]:
    at = f", at: {unfinished.stopped_at}" if unfinished.stopped_at else ""
    return (f"an earlier preparation stopped half-way{at}", "it was made again from its first step")


def _in_order(listed: tuple[Step, ...]) -> list[Step]:
    """Steps on local images first: Docker may refuse them, and the account is then untouched."""
    return sorted(listed, key=lambda step: not step.engine)


def _stopped(number: str, place: Place, step: Step, fault: BaseException) -> None:
    """Record where the preparation stopped; raise LabError for a fault that the learner can fix."""
    reason = str(fault) or type(fault).__name__
    entry = Entry(False, f"{step.fact} ({reason.splitlines()[0]})", tuple(place.removed))
    removed = "".join(f"\n  {one}" for one in place.removed)
    said = f"Removed until then:{removed}" if removed else "Nothing had been removed until then."
    try:
        Record(place.workspace).write(number, entry)
    except WorkspaceError as problem:  # that the lab is not begun was recorded before
        said += f"\n{problem}"
    if isinstance(fault, FOR_THE_LEARNER) and not isinstance(fault, Interrupted):
        raise LabError(
            f"Lab {number} is not ready. This step failed: {step.fact}\n{reason}\n{said}\n"
            "Put right what the message names and run this cell again. It prepares the lab again "
            "from the first step."
        ) from fault
    fault.add_note(said)
