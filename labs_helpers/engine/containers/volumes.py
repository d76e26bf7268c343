"""Volumes: named folders that outlive containers, and the mounts that a request asks for.

Sources: https://docs.docker.com/engine/storage/volumes/ and
https://github.com/moby/moby/blob/v28.2.2/volume/mounts/linux_parser.go
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from labs_helpers.files import write_json

from .. import owners
from ..errors import BadRequest, EngineError, NotFound, NotSupported
from ..events import VOLUME, Events
from .keeper.logfile import now

Document = dict[str, Any]

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_FORBIDDEN = ("/proc", "/sys", "/dev")
_MODES = {
    "ro",
    "rw",
    "z",
    "Z",
    "nocopy",
    "rprivate",
    "private",
    "cached",
    "delegated",
    "consistent",
}
_SHARED = {"shared", "rshared", "slave", "rslave"}


class InUse(EngineError):
    """A container uses the volume."""

    status = 409


class Volumes:
    """The named volumes in one folder."""

    def __init__(self, folder: Path, events: Events) -> None:
        self._folder, self._events = folder, events
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def list(self) -> list[Document]:
        """Every volume, as Docker describes it, by name."""
        return [self.get(path.parent.name) for path in sorted(self._folder.glob("*/volume.json"))]

    def get(self, name: str) -> Document:
        """A volume as Docker describes it. Raises NotFound."""
        try:
            document: Document = json.loads((self._folder / name / "volume.json").read_text())
        except (OSError, ValueError) as error:
            raise NotFound(f"get {name}: no such volume") from error
        return {**document, "Mountpoint": str(self.path(name))}

    def path(self, name: str) -> Path:
        """The folder with a volume's files."""
        return self._folder / name / "_data"

    def create(self, name: str, labels: Document | None = None) -> Document:
        """Create a volume, unless it is there; "" makes a name. Raises BadRequest."""
        anonymous = not name
        name = name or secrets.token_hex(32)
        if len(name) == 1:
            raise BadRequest(
                f"create {name}: volume name is too short, names should be at least two"
                " alphanumeric characters"
            )
        if not _NAME.fullmatch(name):
            raise BadRequest(
                f'create {name}: "{name}" includes invalid characters for a local volume name, only'
                ' "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host'
                " directory, use absolute path"
            )
        if not (self._folder / name / "volume.json").exists():
            self.path(name).mkdir(mode=0o755, parents=True, exist_ok=True)
            self.path(name).chmod(0o755)
            labels = {"com.docker.volume.anonymous": "", **(labels or {})} if anonymous else labels
            document = {"CreatedAt": now(), "Driver": "local", "Labels": labels, "Name": name}
            rest = {"Mountpoint": "", "Options": None, "Scope": "local"}
            write_json(self._folder / name / "volume.json", {**document, **rest})
            self.note("create", name)
        return self.get(name)

    def remove(self, name: str, users: Iterable[str]) -> None:
        """Remove a volume and its files. Raises NotFound, or InUse when there are users."""
        self.get(name)
        if ids := list(users):
            raise InUse(f"remove {name}: volume is in use - [{', '.join(ids)}]")
        (self._folder / name / "volume.json").unlink()
        owners.remove(self._folder / name)
        self.note("destroy", name)

    def note(self, action: str, name: str, **more: str) -> None:
        """Note an event about a volume."""
        self._events.emit(VOLUME, action, name, {"driver": "local", **more})

    @staticmethod
    def is_anonymous(volume: Document) -> bool:
        """Whether a volume was made without a name."""
        return "com.docker.volume.anonymous" in (volume.get("Labels") or {})


def requested(config: Document, host: Document, image: Document, private: Path) -> list[Document]:
    """The mounts of a new container: ``kind``, ``source`` or ``name``, ``target``, ``read_only``.

    Args:
        image: the Config of its image, whose Volumes become anonymous volumes.
        private: the engine's own folder, which no container may see.

    Raises:
        BadRequest: in dockerd's words.
        NotSupported: a kind of mount that the engine does not have.
    """
    found = [_bind(text) for text in host.get("Binds") or []]
    found += [_mount(each) for each in host.get("Mounts") or []]
    for mount in found:
        if mount["kind"] == "bind":
            _check_source(mount["source"], private)
    targets = {mount["target"] for mount in found}
    if len(targets) < len(found):
        twice = next(t for t in targets if sum(m["target"] == t for m in found) > 1)
        raise BadRequest(f"Duplicate mount point: {twice}")
    for path in {**(image.get("Volumes") or {}), **(config.get("Volumes") or {})}:
        target = posixpath.normpath(path)
        if target not in targets:
            _check_target("volume", path, raw=path)
            found.append({"kind": "volume", "name": "", "target": target, "read_only": False})
    return found


def _bind(text: str) -> Document:
    parts = text.split(":")
    if len(parts) > 3 or not all(parts):
        raise BadRequest(f"invalid volume specification: '{text}'")
    if len(parts) == 1:
        _check_target("volume", text, raw=text)
        target = posixpath.normpath(parts[0])
        return {"kind": "volume", "name": "", "target": target, "read_only": False}
    modes = parts[2].split(",") if len(parts) == 3 else []
    for mode in modes:
        if mode in _SHARED:
            raise NotSupported(
                f"the labs engine refuses the mode {mode} of {text}: mounts inside a container stay"
                " inside"
            )
        if mode not in _MODES:
            raise BadRequest(f"invalid mode: {parts[2]}")
    target, read_only = posixpath.normpath(parts[1]), "ro" in modes
    if parts[0].startswith("/"):
        source = {"kind": "bind", "source": posixpath.normpath(parts[0]), "make": True}
    else:
        source = {"kind": "volume", "name": parts[0]}
    _check_target(str(source["kind"]), parts[1], raw=text)
    return {**source, "target": target, "read_only": read_only}


def _mount(mount: Document) -> Document:
    kind, source = mount.get("Type"), str(mount.get("Source") or "")
    if kind not in ("bind", "volume"):
        raise NotSupported(
            f"the labs engine refuses --mount type={kind}: it has bind and volume, and --tmpfs"
        )
    extra = {
        k for k in ("BindOptions", "VolumeOptions", "TmpfsOptions", "Consistency") if mount.get(k)
    }
    asked = {k for k in extra if mount[k] not in ({}, "default")}
    if asked:
        raise NotSupported(f"the labs engine refuses options of --mount: {sorted(asked)}")
    target = str(mount.get("Target") or "")
    if not target:
        raise BadRequest(f'invalid mount config for type "{kind}": field Target must not be empty')
    _check_target(kind, target)
    read_only = bool(mount.get("ReadOnly"))
    place = {"target": posixpath.normpath(target), "read_only": read_only}
    if kind == "volume":
        return {"kind": "volume", "name": source, **place}
    if not source:
        raise BadRequest('invalid mount config for type "bind": field Source must not be empty')
    if not source.startswith("/"):
        raise BadRequest(
            f"invalid mount config for type \"bind\": invalid mount path: '{source}' mount path"
            " must be absolute"
        )
    if not os.path.exists(source):  # noqa: PTH110 - false, not an error, in closed folders
        raise BadRequest(
            f'invalid mount config for type "bind": bind source path does not exist: {source}'
        )
    return {"kind": "bind", "source": posixpath.normpath(source), "make": False, **place}


def _check_target(kind: str, path: str, raw: str = "") -> None:
    """Refuse a place in the container; ``raw`` is the value of ``-v``, or the VOLUME of an image.

    Raises:
        BadRequest: the place is relative, the root, or belongs to the container itself.
    """
    where = f"invalid volume specification: '{raw}': " if raw else ""
    where += f'invalid mount config for type "{kind}": '
    target = posixpath.normpath(path)
    if target.strip("/") == "" and path.startswith("/"):
        raise BadRequest(f"{where}invalid specification: destination can't be '/'")
    if not path.startswith("/"):
        raise BadRequest(f"{where}invalid mount path: '{path}' mount path must be absolute")
    if any(target == each or target.startswith(f"{each}/") for each in _FORBIDDEN):
        raise BadRequest(
            f"{where}{target} belongs to the container itself; choose a destination that is not"
            f" below {', '.join(_FORBIDDEN)}"
        )


def _check_source(source: str, private: Path) -> None:
    """Refuse the engine's folder and what is in it, but for the socket, as Docker's may be mounted.

    A program that is isolated mounts no socket: api/isolated.py gives it its build's folder.
    """
    place, own = Path(source).resolve(), private.resolve()
    if place.parent == own and place.is_socket():
        return
    if place == own or own in place.parents:
        raise NotSupported(
            f"mounts denied: {source} is the engine's own folder, and the containers in it could"
            " change each other; mount a folder of your own"
        )
