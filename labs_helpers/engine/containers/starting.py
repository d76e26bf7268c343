"""The start of a container: what the keeper starts, and in what words it fails.

Messages and rules are dockerd's: https://github.com/moby/moby/blob/v28.2.2/daemon/start.go and
errors.go.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labs_helpers.files import write_json

from .. import machine
from ..build.run.accounts import Account, find_account
from ..errors import EngineError
from ..platform import of_machine
from ..private_stores import StoreOf
from ..subordinate import most
from . import ports, rootfs, spec
from .keeper.words import CannotStart
from .lent import Lent, is_stand_in
from .link import Link
from .record import Container, Records

Document = dict[str, Any]

_OCI = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed:"
    " runc create failed: unable to start container process: "
)


class CannotRun(EngineError):
    """A container cannot be started.

    ``status`` is that of dockerd's answer, ``code`` the exit status that the container gets.
    """

    def __init__(self, message: str, status: int, code: int = 0) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def written(folder: Path, isolation: machine.Isolation) -> Path:
    """What a container wrote, in its folder; without overlays, with the image's files, too."""
    return folder / ("upper" if isolation.overlay else "root")


def _check_user(account: Account) -> None:
    users = machine.users()
    if users and max(account.uid, account.gid) >= (count := most(users)):
        raise CannotStart(
            f"the program would run as user {account.uid} and group {account.gid}, and /etc/subuid"
            f" and /etc/subgid give this machine's user {count} of each",
            126,
        )


class Starter:
    """Starts the programs of containers, by one keeper."""

    def __init__(
        self,
        records: Records,
        images: rootfs.Unpacked,
        store_of: StoreOf,
        lent: Lent,
        link: Link,
        isolation: machine.Isolation,
    ) -> None:
        self._records, self._images, self._store_of = records, images, store_of
        self._lent, self._link, self._isolation = lent, link, isolation

    def specification(self, container: Container, folder: Path) -> Document:
        """What the keeper starts, for a container whose folder is given."""
        store = self._store_of(container.owner)
        image = store.find(container.image)
        lower = self._images.path(image, store)
        rootfs.prepare(folder)
        tree = rootfs.accounts(lower, written(self._records.path(container), self._isolation))
        account = find_account(container.config.get("User") or "", tree)
        _check_user(account)
        layers, words = [lower], spec.command(container.config)
        if is_stand_in(image.config.get("config") or {}):
            layers += self._lent.layers(lower)
            words = self._lent.words_in(words, lower)
        if not self._isolation.overlay:
            rootfs.copy_layers(folder, layers)
            layers = []
        document = spec.of_container(container, folder, layers, words, account)
        if self._isolation.kind == machine.PROOT:
            document |= {"network": "host", "relays": [], "user_namespace": False, "users": None}
            document["proot"] = machine.proot_words(
                folder / "root", account.uid, account.gid, document["cwd"], document["mounts"]
            )
        return document

    def launch(self, container: Container) -> Document:
        """Start the program: its ``pid``, ``ports`` on this machine and the time it ``started``.

        Raises:
            CannotStart, UnknownAccount, NotSupported, OSError: it cannot be started.
        """
        folder = self._records.path(container)
        document = self.specification(container, folder)
        (folder / "exit.json").unlink(missing_ok=True)
        taken = ""
        # of a range of ports on this machine, the first that is free
        for attempt in range(max([1, *(len(port["wanted"]) for port in container.ports)])):
            for port in container.ports:
                port["outside"] = port["wanted"][min(attempt, len(port["wanted"]) - 1)]
            write_json(folder / "spec.json", document)
            try:
                return self._link.ask({"do": "start", "id": container.id})
            except CannotStart as error:
                taken = str(error)
                if error.code:
                    raise
        raise CannotStart(self._why_taken(container, taken), 125)

    def _why_taken(self, container: Container, text: str) -> str:
        """Docker's words for a port that cannot be published, and who has it."""
        _, number, name = text.split()
        port = int(number)
        place = next((p for p in container.ports if p["outside"] == port), container.ports[0])
        start = (
            "failed to set up container networking: driver failed programming external connectivity"
            f" on endpoint {container.name} ({container.id}): "
        )
        for other in self._records:
            if other.running and any(p["outside"] == port for p in other.ports):
                return (
                    f"{start}Bind for {place['address']}:{port} failed: port is already allocated,"
                    f' by container "{other.name}" ({other.short_id})'
                )
        if name == "EADDRINUSE":
            who = ports.holder(port)
            why = "address already in use" + (f", by {who}" if who else "")
        else:
            why = {"EACCES": "permission denied (ports below 1024 are root's)"}.get(name, name)
        return f"{start}failed to bind host port {place['address']}:{port}/tcp: {why}"

    def failure(self, container: Container, error: Exception) -> CannotRun:
        """The error for the client, in dockerd's words; ``code`` is the container's exit status."""
        code = 126
        if isinstance(error, CannotStart):
            code = error.code
        elif isinstance(error, OSError):
            code = 125
        text = str(error)
        if "exec format error" in text and (other := self._other_architecture(container)):
            text += f": {other}"
        if isinstance(error, CannotStart) and code != 125:
            text = f"{_OCI}{text}: unknown"
        status = 400 if code in (126, 127) else 500
        return CannotRun(text, status, {125: 128}.get(code, code))

    def _other_architecture(self, container: Container) -> str:
        """A sentence when the image is for another architecture than this machine's, else ""."""
        ours = of_machine()
        image = self._store_of(container.owner).find(container.image)
        theirs = image.config.get("architecture") or ours
        if theirs == ours:
            return ""
        return (
            f"the image is for linux/{theirs} and this machine is linux/{ours}; pull or build it"
            f" with --platform linux/{ours}"
        )
