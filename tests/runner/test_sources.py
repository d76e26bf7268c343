"""The source of a build as its commands find the source."""

from __future__ import annotations

import io
import os
import stat
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.runner import sources
from labs_helpers.runner.git_sources import Origin
from labs_helpers.sandbox.codepipeline.actions.work import ActionFailed, Work


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


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_file_with_damaged_content_is_the_source_s_fault(tmp_path: Path, kind: int) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", kind) as archive:
        archive.writestr("a", "text" * 1000)
    damaged = bytearray(content.getvalue())
    damaged[40:50] = bytes(10)
    into = tmp_path / "source"
    into.mkdir()
    source = {"type": "S3", "location": "bucket/key.zip"}
    with pytest.raises(sources.SourceFailed):
        sources.fetch(source, "", lambda service: Bucket(bytes(damaged)), into, Origin("", {}))
    work: Any = types.SimpleNamespace(read=lambda: bytes(damaged), inputs=[{"name": "Source"}])
    with pytest.raises(ActionFailed, match="Source is not a ZIP file"):
        Work.unpacked(work)
