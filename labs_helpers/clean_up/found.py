"""What is in an account under the names of the list, and whose it is.

A thing is the labs' when it has the tag ``labs:session``, or when it was not there when a lab that
makes it was opened for the first time. Everything else stays, whatever its name is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.clean_up.kinds import KINDS
from labs_helpers.clean_up.listed import Listed, listed
from labs_helpers.files import read_json, write_json
from labs_helpers.prepare.step import Place

TAG = "labs:session"
"""The tag of what the labs make; its value names the session, see ``aws_session.py``."""
_HAS_THE_TAG = f"it has the tag {TAG}"
THEIRS = "These were here before the labs"
"""The beginning of what the labs say of the learner's things under names that the labs use."""


@dataclass(frozen=True)
class Thing:
    """A thing in the account. ``ours``: the labs made it; ``why``: how that is known, in words."""

    kind: str
    name: str
    ours: bool
    why: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def costs(self) -> str:
        """What the thing costs while it stays."""
        return KINDS[self.kind].costs


@dataclass(frozen=True)
class Survey:
    """What was found, and the kinds that could not be looked at, each with AWS's reason."""

    things: tuple[Thing, ...]
    unread: tuple[tuple[str, str], ...] = ()


class Before:
    """The things that were there under the labs' names before the labs made any.

    A file in LABS_HOME, one for each account and region: for each listed name that a lab was opened
    for, what was there at that moment. Kept when the labs are opened again.
    """

    def __init__(self, place: Place) -> None:
        self._path = place.workspace.home / f"before-{place.account}-{place.region}.json"

    def knows(self, one: Listed) -> bool:
        """Whether a lab that makes this was opened."""
        return str(one) in self._read()

    def had(self, one: Listed) -> list[str]:
        """The names that were there already; none where no lab was opened that makes it."""
        return self._read().get(str(one), [])

    def note(self, found: dict[Listed, list[str]]) -> None:
        """Note what was there, for names that are not noted yet. Raises WorkspaceError."""
        new = {str(one): names for one, names in found.items()}
        write_json(self._path, {**new, **self._read()})

    def _read(self) -> dict[str, list[str]]:
        # with a damaged record nothing counts as ours that has no tag
        return read_json(self._path, "only what has the tag of the labs counts as theirs")


def note_before(place: Place, lab: str) -> list[str]:
    """Note what is there before lab ``lab`` makes anything; in words, what is not the labs'.

    Raises ClientError and BotoCoreError where the account cannot be asked, and WorkspaceError.
    """
    before = Before(place)
    wanted = [one for one in listed(place.account) if lab in one.labs]
    new = [one for one in wanted if not before.knows(one)]
    if new:
        there = {kind: list(KINDS[kind].names(place)) for kind in {one.kind for one in new}}
        before.note({one: _foreign(place, one, there[one.kind]) for one in new})
    return before_of(place, lab)


def before_of(place: Place, lab: str) -> list[str]:
    """What was there, under the names of lab ``lab``, when the lab was opened first, in words."""
    before = Before(place)
    return [
        f"{one.kind} {name}"
        for one in listed(place.account)
        if lab in one.labs
        for name in before.had(one)
    ]


def not_ours(place: Place, lab: str) -> list[str]:
    """The things under the names of lab ``lab`` that the labs did not make, in words.

    Raises ClientError and BotoCoreError where the account cannot be asked.
    """
    wanted = [one for one in listed(place.account) if lab in one.labs]
    return [str(thing) for thing in survey(place, wanted).things if not thing.ours]


def _foreign(place: Place, one: Listed, there: list[str]) -> list[str]:
    """The names that fit and lack the labs' tag, which labs in another folder may have given."""
    return [name for name in there if name == one.name and not _tagged(place, one.kind, name)]


def survey(place: Place, wanted: Iterable[Listed] | None = None) -> Survey:
    """What is in the account under the listed names, in the order of deletion.

    A kind that cannot be looked at, for lack of a right for example, is named in ``unread``.
    """
    before = Before(place)
    things: list[Thing] = []
    unread: list[tuple[str, str]] = []
    by_kind: dict[str, list[Listed]] = {}
    for one in listed(place.account) if wanted is None else wanted:
        by_kind.setdefault(one.kind, []).append(one)
    for kind, names in by_kind.items():
        try:
            there = sorted(KINDS[kind].names(place))
            things += [
                _judged(place, before, one, name)
                for name in there
                for one in names
                if name == one.name
            ]
        except (ClientError, BotoCoreError) as error:
            unread.append((kind, str(error)))
    return Survey(tuple(things), tuple(unread))


def tag_ours(place: Place, session: str, wanted: Iterable[Listed] | None = None) -> list[str]:
    """Give the labs' things the tag ``labs:session``; in words, what AWS did not tag, and why.

    What AWS refuses for one thing, for lack of a right for example, keeps no other from its tag.
    """
    refused = []
    for thing in survey(place, wanted).things:
        kind = KINDS[thing.kind]
        if not thing.ours or kind.tag is None or thing.why == _HAS_THE_TAG:
            continue
        try:
            kind.tag(place, thing.name, {TAG: session})
        except (ClientError, BotoCoreError) as error:
            refused.append(f"{thing}: {error}")
    return refused


def _tagged(place: Place, kind: str, name: str) -> bool:
    read = KINDS[kind].tags
    return read is not None and TAG in read(place, name)


def _judged(place: Place, before: Before, one: Listed, name: str) -> Thing:
    if place.mode == "sandbox":
        return Thing(one.kind, name, True, "the sandbox is the labs'")
    if _tagged(place, one.kind, name):
        return Thing(one.kind, name, True, _HAS_THE_TAG)
    if not before.knows(one):
        return Thing(one.kind, name, False, "no lab that makes it was opened here")
    if name in before.had(one):
        return Thing(one.kind, name, False, "it was there before the labs")
    return Thing(one.kind, name, True, f"it was not there before lab {one.labs[0]}")
