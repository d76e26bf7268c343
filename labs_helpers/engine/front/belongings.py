"""What the labs have left in the learner's own Docker, and taking it away again.

That is: names that a pull or push of ours concerned, and every name in the registry of the
sandbox's account, which is nobody's real account. Other images are the learner's. A name that
belonged to another image before a pull of ours (``nginx:alpine``, say) is given back to it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import Reference

from .address import AddressError, parse
from .daemon import DaemonError, RealDaemon
from .memory import RECORDS, Memory

KEPT = "labs.kept"
"""The registry, which there is none of, in the names of images that a pull took the name from.

Without a name Docker's `image prune` removes an image, and with containerd's store Docker does so
itself.
"""


@dataclass(frozen=True)
class Belonging:
    """A name in the daemon: the image it is of, and the one that gets it back."""

    name: str
    image: str
    before: str | None = None

    @property
    def shown(self) -> str:
        """As `docker images` has it."""
        familiar = references.parse(self.name).familiar
        return f"{familiar} (its earlier image gets the name back)" if self.before else familiar


def kept_name(reference: Reference) -> Reference:
    """The name by which the image is kept that had ``reference`` before."""
    path = f"{reference.domain.replace(':', '_')}/{reference.path}"
    return Reference(KEPT, path, reference.tag)


def served(state: Path) -> list[str]:
    """The addresses of the daemon last served for, and of those with names of the labs'."""
    if not (state / RECORDS).is_file():
        return []
    with closing(Memory(state / RECORDS)) as memory:
        known = memory.daemons()
        return [one for one in known if one == memory.daemon or memory.names(one)]


def belongings(state: Path, address: str, account: str | None) -> list[Belonging]:
    """What is the labs' in a daemon.

    ``account`` is the sandbox's: every name in its registry is the labs'. None leaves those that
    nothing is known of.

    Raises:
        DaemonError: it does not answer any more.
    """
    with closing(Memory(state / RECORDS)) as memory:
        given = {name: (image, before) for name, image, before in memory.names(address)}
        digests = memory.digests() if memory.daemon == address else []
    daemon = _daemon(address)
    found = []
    for name, image in sorted(daemon.names().items()):
        ours, before = given.get(name, ("", None))
        if image == ours == before:
            # it was the learner's before, and is the same image
            continue
        if image == ours:
            back = before if before and daemon.inspect(before) else None
            found.append(Belonging(name, image, back))
        elif account and fnmatch.fnmatchcase(name, f"{account}.dkr.ecr.*.amazonaws.com/*"):
            found.append(Belonging(name, image))
    for name, image in digests:
        there = daemon.inspect(image)
        if there and not there.get("RepoTags") and image not in [one.image for one in found]:
            found.append(Belonging(name, image))
    return found


def take_away(state: Path, address: str, found: list[Belonging]) -> Iterator[tuple[Belonging, str]]:
    """Remove names, and images that have no other; yield each with what went wrong, if anything.

    What is removed is forgotten.
    """
    daemon = _daemon(address)
    with closing(Memory(state / RECORDS)) as memory:
        for one in found:
            try:
                _take_away(daemon, one)
            except DaemonError as error:
                yield one, str(error)
            else:
                memory.forget_name(address, one.name)
                yield one, ""


def carry_over(before: Path, state: Path) -> None:
    """Have the engine of the folder ``state`` know what that of ``before`` left in daemons."""
    if not (before / RECORDS).is_file():
        return
    with closing(Memory(before / RECORDS)) as old:
        if not any(old.names(address) for address in old.daemons()):
            return
        state.mkdir(mode=0o700, exist_ok=True)
        with closing(Memory(state / RECORDS)) as new:
            new.carry(old)


def _take_away(daemon: RealDaemon, one: Belonging) -> None:
    reference = references.parse(one.name)
    if reference.digest:
        daemon.remove(one.image)
        return
    daemon.untag(reference)
    kept = kept_name(reference)
    if one.before:
        daemon.tag(one.before, reference)
        if daemon.image_id(kept.familiar) == one.before:
            daemon.untag(kept)


def _daemon(address: str) -> RealDaemon:
    try:
        daemon = RealDaemon(parse(address))
    except AddressError as error:
        raise DaemonError(str(error)) from error
    about = daemon.about(5.0)
    return RealDaemon(daemon.address, about.asked_in)
