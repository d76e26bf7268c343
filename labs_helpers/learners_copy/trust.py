"""The signatures by which JupyterLab shows a notebook's outputs with their styles and widgets."""

from __future__ import annotations

import sqlite3
from types import TracebackType
from typing import Any, Self

from labs_helpers.files import cannot_write
from labs_helpers.runtime.grammars import without_grammars
from labs_helpers.workspace import Workspace


class Trust:
    """The signatures of the labs' own JupyterLab, in its data folder in LABS_HOME.

    Use it in a ``with`` block. Raises WorkspaceError when the folder cannot be written.
    https://jupyter-server.readthedocs.io/en/latest/operators/security.html#security-in-notebook-documents
    """

    def __init__(self, workspace: Workspace) -> None:
        self._data = workspace.home / "jupyter" / "data"
        self._opened: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._opened is not None:
            self._opened.close()

    def has(self, content: bytes) -> bool:
        """Whether a notebook with this content is trusted; one that Jupyter cannot read is not."""
        try:
            found = _parsed(content)
        except (ValueError, KeyError, AttributeError, TypeError):
            return False
        return bool(self._notary().check_signature(found))

    def sign(self, content: bytes) -> None:
        """Trust a notebook: one of the project's, or one merged from a trusted notebook."""
        self._notary().sign(_parsed(content))

    def _notary(self) -> Any:
        """Jupyter's notary, made when first needed: importing it takes a second."""
        if self._opened is None:
            with without_grammars():
                from nbformat.sign import NotebookNotary

                from labs_helpers.jupyter.signatures import of_folder

            try:
                self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
                notary = NotebookNotary(  # type: ignore[no-untyped-call]
                    data_dir=str(self._data),
                    store_factory=lambda: of_folder(self._data),
                )
                _ = notary.secret  # made now, so that a folder that cannot be written is named
            except (OSError, sqlite3.Error) as error:
                plain = error if isinstance(error, OSError) else OSError(str(error))
                raise cannot_write(self._data, plain) from error
            self._opened = notary
        return self._opened


def _parsed(content: bytes) -> Any:
    with without_grammars():
        import nbformat

    return nbformat.reads(content.decode(), as_version=4)  # type: ignore[no-untyped-call]
