"""The source of a build as its commands find the source."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.runner import sources
from labs_helpers.runner.git_sources import Origin


@pytest.fixture(autouse=True)
def as_the_runner() -> Iterator[None]:
    """The umask of the runner, whose own files are nobody else's."""
    before = os.umask(0o077)
    yield
    os.umask(before)


class Bucket:
    """S3 with one object."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def get_object(self, **_: str) -> dict[str, Any]:
        body = io.BytesIO(self._content)
        return {"ContentLength": len(self._content), "Body": _Body(body)}


class _Body:
    def __init__(self, content: io.BytesIO) -> None:
        self._content = content

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while piece := self._content.read(size):
            yield piece


def test_a_web_server_that_is_not_root_can_read_what_git_packed(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, mode in (("site/index.html", 0), ("build.sh", 0o755), ("own.txt", 0o600)):
            entry = zipfile.ZipInfo(name)  # git writes no mode for a file that is not executable
            entry.external_attr = (stat.S_IFREG | mode) << 16 if mode else 0
            archive.writestr(entry, "text")
    source = {"type": "S3", "location": "bucket/key.zip"}
    into = tmp_path / "source"
    into.mkdir()
    sources.fetch(source, "", lambda service: Bucket(content.getvalue()), into, Origin("", {}))
    modes = {
        str(path.relative_to(into)): stat.S_IMODE(path.stat().st_mode) for path in into.rglob("*")
    }
    assert modes == {
        "site": 0o755,
        "site/index.html": 0o644,
        "build.sh": 0o755,
        "own.txt": 0o644,
    }
