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

from .address import AddressError, parse
from .daemon import DaemonError, RealDaemon
from .memory import RECORDS, Memory


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


def belongings(state: Path, account: str) -> tuple[str, list[Belonging]]:
    """The address of the daemon that was last served for, and what is the labs' in it.

    Raises:
        DaemonError: it does not answer any more.
    """
    if not (state / RECORDS).is_file():
        return "", []
    with closing(Memory(state / RECORDS)) as memory:
        given = {name: (image, before) for name, image, before in memory.names()}
        address = memory.daemon
    if not address:
        return "", []
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
        elif fnmatch.fnmatchcase(name, f"{account}.dkr.ecr.*.amazonaws.com/*"):
            found.append(Belonging(name, image))
    return address, found


def take_away(address: str, found: list[Belonging]) -> Iterator[tuple[Belonging, str]]:
    """Remove names, and images that have no other; yield each with what went wrong, if anything."""
    daemon = _daemon(address)
    for one in found:
        reference = references.parse(one.name)
        try:
            daemon.untag(reference)
            if one.before:
                daemon.tag(one.before, reference)
        except DaemonError as error:
            yield one, str(error)
        else:
            yield one, ""


def _daemon(address: str) -> RealDaemon:
    try:
        daemon = RealDaemon(parse(address))
    except AddressError as error:
        raise DaemonError(str(error)) from error
    about = daemon.about(5.0)
    return RealDaemon(daemon.address, about.asked_in)
