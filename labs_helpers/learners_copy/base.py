"""The record of what was laid into a workbook, so that what the learner changed is known exactly.

The record is the workbook's hidden folder ``.labs-copy``: ``record.json`` names, for each file, the
SHA-256 of the content that was laid, and ``base/`` keeps that content under its SHA-256. Contents
are written first and the record last. After a crash between the two, the record is older than the
files, and an update compares the files with older versions: nothing is lost.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from labs_helpers.files import read_json
from labs_helpers.learners_copy.files import replace
from labs_helpers.workspace import WORKBOOK_RECORD


def digest(content: bytes) -> str:
    """The SHA-256 of a content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Base:
    """The record of one workbook; ``save`` writes what ``laid`` and ``offered`` were told."""

    def __init__(self, workbook: Path) -> None:
        self._folder = workbook / WORKBOOK_RECORD
        found = read_json(
            self._folder / "record.json", "files that you changed are kept as they are"
        )
        self._laid, self._offered = _digests(found.get("laid")), _digests(found.get("offered"))

    @property
    def paths(self) -> set[str]:
        """The files that the project laid and has not withdrawn since."""
        return set(self._laid)

    def laid(self, path: str) -> str | None:
        """The digest of the version that the learner's file comes from; None when unknown."""
        return self._laid.get(path)

    def offered(self, path: str) -> str | None:
        """The digest of the version that was laid beside the learner's file, if any."""
        return self._offered.get(path)

    def content(self, wanted: str | None) -> bytes | None:
        """A content by its digest; None when the content is missing or damaged."""
        if wanted is None:
            return None
        try:
            found = (self._folder / "base" / wanted).read_bytes()
        except OSError:
            return None
        return found if digest(found) == wanted else None

    def lay(self, path: str, content: bytes) -> None:
        """Record that the learner's file comes from this version."""
        self._laid[path] = self._keep(content)
        self._offered.pop(path, None)

    def offer(self, path: str, content: bytes) -> None:
        """Record that this version was laid beside the learner's file."""
        self._offered[path] = self._keep(content)

    def withdraw(self, path: str) -> None:
        """Record that the project no longer has the file: the file is the learner's alone."""
        self._laid.pop(path, None)
        self._offered.pop(path, None)

    def save(self) -> None:
        """Write the record; raises WorkspaceError."""
        document = {"laid": self._laid, "offered": self._offered}
        replace(self._folder / "record.json", _written(document))

    def _keep(self, content: bytes) -> str:
        name = digest(content)
        if self.content(name) is None:
            replace(self._folder / "base" / name, content)
        return name


def _written(document: dict[str, Any]) -> bytes:
    """A JSON document as bytes, with its keys in order."""
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _digests(found: Any) -> dict[str, str]:
    """Digests by path; empty for a damaged entry."""
    if not isinstance(found, dict):
        return {}
    return {path: name for path, name in found.items() if isinstance(name, str)}
