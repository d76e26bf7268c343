"""The signatures of trusted notebooks, in a file on a disk that may be full.

Jupyter writes into this file each time it opens a notebook. So on a full disk no notebook could be
opened or saved at all, also where there is room for the notebook:
https://github.com/jupyter/nbformat/blob/main/nbformat/sign.py
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir
from nbformat.sign import SQLiteSignatureStore

from labs_helpers.files import is_full


class Signatures(SQLiteSignatureStore):
    """Jupyter's own store, which keeps what it has when the disk is full."""

    def check_signature(self, digest: str, algorithm: str) -> bool:
        """Whether the signature is there. The date of the last look is lost on a full disk."""
        try:
            return bool(super().check_signature(digest, algorithm))  # type: ignore[no-untyped-call]
        except sqlite3.Error as error:
            self._give_up(error)
        wanted = "SELECT id FROM nbsignatures WHERE algorithm = ? AND signature = ?"
        return self.db.execute(wanted, (algorithm, digest)).fetchone() is not None

    def store_signature(self, digest: str, algorithm: str) -> None:
        """Keep the signature; on a full disk it is lost, with a warning in the server's log."""
        try:
            super().store_signature(digest, algorithm)  # type: ignore[no-untyped-call]
        except sqlite3.Error as error:
            self._give_up(error)
            self.log.warning("The disk is full: a notebook's signature was not kept.")

    def _give_up(self, error: sqlite3.Error) -> None:
        """Undo what failed; raises the error unless the disk is full."""
        if not is_full(error):
            raise error
        db: Any = self.db
        db.rollback()


def of_folder(data: Path) -> Signatures:
    """The signatures in a data folder of Jupyter's, where Jupyter itself would keep them."""
    return Signatures(str(data / "nbsignatures.db"))  # type: ignore[no-untyped-call]


def of_this_server() -> Signatures:
    """The signatures in the data folder of this process."""
    return of_folder(Path(jupyter_data_dir()))
