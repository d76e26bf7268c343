"""Find and remove what the labs have left in the learner's own Docker or Podman.

These are the names that a pull or push through the front gave, and every name in the registry of
the sandbox's account, which is nobody's real account. All other images are the learner's. An image
of the learner's from which such a pull took a name (``nginx:alpine``, say) gets the name back.
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
from .daemon import DaemonClient, DaemonError
from .records import DATABASE, Records

BACKUP_REGISTRY = "labs.kept"
"""Fictitious registry in the name that an image gets when a pull takes its name.

Without a name, ``docker image prune`` would remove the image, and Docker with containerd's store
would remove it at once.
"""


@dataclass(frozen=True)
class Leftover:
    """A name in the daemon, its image, and the image of the learner's that gets the name back."""

    name: str
    image: str
    before: str | None = None

    @property
    def label(self) -> str:
        """The name as ``docker images`` prints it, and what happens to it."""
        familiar = references.parse(self.name).familiar
        return f"{familiar} (its earlier image gets the name back)" if self.before else familiar


def backup_name(reference: Reference) -> Reference:
    """Return the name that keeps the image from which a pull takes ``reference``."""
    path = f"{reference.domain.replace(':', '_')}/{reference.path}"
    return Reference(BACKUP_REGISTRY, path, reference.tag)


def known_daemons(state: Path) -> list[str]:
    """Return the addresses of the front's last daemon, and of all that may have leftovers."""
    if not (state / DATABASE).is_file():
        return []
    with closing(Records(state / DATABASE)) as records:
        known = records.daemons()
        return [address for address in known if address == records.daemon or records.names(address)]


def leftovers(state: Path, address: str, account: str | None) -> list[Leftover]:
    """List the leftovers in the daemon at ``address``.

    Every name in the registry of ``account``, the sandbox's, is a leftover. With None, only the
    names in the records of the engine's folder ``state`` are.

    Raises:
        DaemonError: the daemon does not answer.
    """
    with closing(Records(state / DATABASE)) as records:
        given = {name: (image, before) for name, image, before in records.names(address)}
        digests = records.digests() if records.daemon == address else []
    daemon = _client(address)
    found = []
    for name, image in sorted(daemon.names().items()):
        recorded, before = given.get(name, ("", None))
        if image == recorded == before:
            # the learner had this very image under this name before the pull
            continue
        if image == recorded:
            back = before if before and daemon.inspect(before) else None
            found.append(Leftover(name, image, back))
        elif account and fnmatch.fnmatchcase(name, f"{account}.dkr.ecr.*.amazonaws.com/*"):
            found.append(Leftover(name, image))
    for name, image in digests:
        described = daemon.inspect(image)
        listed = any(leftover.image == image for leftover in found)
        if described and not described.get("RepoTags") and not listed:
            found.append(Leftover(name, image))
    return found


def remove_leftovers(
    state: Path, address: str, found: list[Leftover]
) -> Iterator[tuple[Leftover, str]]:
    """Remove names, and images without another name, from a daemon and from the records.

    Yields each leftover with the daemon's reason if it stays, else with an empty text.
    """
    daemon = _client(address)
    with closing(Records(state / DATABASE)) as records:
        for leftover in found:
            try:
                _remove(daemon, leftover)
            except DaemonError as error:
                yield leftover, str(error)
            else:
                records.forget_name(address, leftover.name)
                yield leftover, ""


def copy_records(before: Path, state: Path) -> None:
    """Copy the records of leftovers from one engine's folder to another's."""
    if not (before / DATABASE).is_file():
        return
    with closing(Records(before / DATABASE)) as old:
        if not any(old.names(address) for address in old.daemons()):
            return
        state.mkdir(mode=0o700, exist_ok=True)
        with closing(Records(state / DATABASE)) as new:
            new.copy_names(old)


def _remove(daemon: DaemonClient, leftover: Leftover) -> None:
    reference = references.parse(leftover.name)
    if reference.digest:
        daemon.remove(leftover.image)
        return
    daemon.untag(reference)
    if leftover.before:
        daemon.tag(leftover.before, reference)
        backup = backup_name(reference)
        if daemon.image_id(backup.familiar) == leftover.before:
            daemon.untag(backup)


def _client(address: str) -> DaemonClient:
    try:
        client = DaemonClient(parse(address))
    except AddressError as error:
        raise DaemonError(str(error)) from error
    return DaemonClient(client.address, client.about(5.0).request_api)
