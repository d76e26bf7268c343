"""The store's own secret, for marks on things that a client carries and brings back."""

import os
import secrets
from pathlib import Path

from labs_helpers.sandbox.ecr.store import Store, naming_a_full_disk

_BYTES = 32


def key(store: Store) -> bytes:
    """32 random bytes, the same for as long as the store lives; made at the first use.

    Raises NoRoom when the disk is too full to make it.
    """
    path = store.root / "signing-key"
    with naming_a_full_disk():
        try:
            return _read(path)
        except FileNotFoundError:
            _make(path)
            return _read(path)


def _read(path: Path) -> bytes:
    found = path.read_bytes()
    if len(found) != _BYTES:
        # a write that a crash cut short: what was marked with it was never handed out
        path.unlink()
        raise FileNotFoundError(path)
    return found


def _make(path: Path) -> None:
    """Writes the key beside its place and links it there, so that two makers agree on one."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(beside)
    except FileExistsError:
        return
    finally:
        beside.unlink()
