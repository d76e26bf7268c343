"""The source of a build, fetched with the rights of the build's role.

A new type of source is a function and a row of `_FETCH` or `_CLONE`;
sandbox/codebuild/projects.py names the types that a project may have.
"""

from __future__ import annotations

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.buildspec.source import MOST_BYTES, MOST_FILES
from labs_helpers.runner import git_sources
from labs_helpers.runner.git_sources import GitFailed, Origin

Client = Callable[[str], Any]


_DAMAGED = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError),
    *(zlib.error, lzma.LZMAError),
)
"""What Python raises at a ZIP file that is none, or whose content is damaged."""


class SourceFailed(Exception):
    """The source cannot be had; the message is the phase's."""

    status_code = "CLIENT_ERROR"


def fetch(
    source: Mapping[str, Any],
    version: str,
    client: Client,
    into: Path,
    origin: Origin,
    named: str = "",
) -> str:
    """Fill an empty folder with the source; the commit of a source in git, else "".

    named: the identifier of a secondary source, "" for the primary one. Raises SourceFailed.
    """
    which = f"source {named}" if named else "primary source"
    commit = ""
    try:
        if source["type"] in _CLONE:
            depth, place = source.get("gitCloneDepth", 0), source["location"]
            commit = _CLONE[source["type"]](origin, place, version, depth, into)
        else:
            _FETCH[source["type"]](source, version, client, into)
        _let_all_read(into)
        return commit
    except GitFailed as error:
        raise SourceFailed(f"{error} for {which}{_of(version)}") from error
    except ClientError as error:
        raise SourceFailed(f"{words(error)} for {which}{_of(version)}") from error
    except (BotoCoreError, OSError) as error:
        raise SourceFailed(f"{error} for {which}{_of(version)}") from error


def _let_all_read(into: Path) -> None:
    """Give the source the modes that root's umask 022 gives on CodeBuild's machine.

    The runner's own umask is 077, and an image keeps the modes of what is copied into the image:
    a web server that is not root could read no page.
    """
    for folder, _, names in os.walk(into):
        Path(folder).chmod(0o755)
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | 0o644 | (0o111 if mode & 0o100 else 0))


def words(error: ClientError) -> str:
    """An error of AWS as CodeBuild's agent prints such errors."""
    found, meta = error.response["Error"], error.response["ResponseMetadata"]
    status, request = meta.get("HTTPStatusCode"), meta.get("RequestId", "")
    return f"{found['Code']}: {found['Message']} status code: {status}, request id: {request}"


def url(source: Mapping[str, Any]) -> str:
    """CODEBUILD_SOURCE_REPO_URL."""
    location = str(source.get("location", "")).removeprefix("arn:aws:s3:::")
    return f"s3://{location}" if source["type"] == "S3" else location


def _of(version: str) -> str:
    return f" and source version {version}" if version else ""


def _nothing(source: Mapping[str, Any], version: str, client: Client, into: Path) -> None:
    """NO_SOURCE: the buildspec is the project's."""


def _s3(source: Mapping[str, Any], version: str, client: Client, into: Path) -> None:
    """A ZIP file in a bucket, or a folder of one, whose key ends with a slash.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectSource.html
    """
    s3 = client("s3")
    bucket, _, key = source["location"].removeprefix("arn:aws:s3:::").partition("/")
    if key.endswith("/"):
        _folder(s3, bucket, key, into)
        return
    archive = into.with_name("source.zip")
    extra = {"VersionId": version} if version else {}
    found = s3.get_object(Bucket=bucket, Key=key, **extra)
    _check_size(found["ContentLength"])
    with archive.open("wb") as file:
        for piece in found["Body"].iter_chunks(1 << 20):
            file.write(piece)
    try:
        with zipfile.ZipFile(archive) as opened:
            _unpack(opened, into)
    except _DAMAGED as error:
        raise SourceFailed(
            f"the object {key} in the bucket {bucket} cannot be unpacked as a ZIP file: {error}"
        ) from error
    finally:
        archive.unlink(missing_ok=True)


def _folder(s3: Any, bucket: str, prefix: str, into: Path) -> None:
    size = 0
    for part in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in part.get("Contents", []):
            size += each["Size"]
            _check_size(size)
            name = each["Key"][len(prefix) :]
            if name and not name.endswith("/"):
                target = _inside(into, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                body = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"]
                with target.open("wb") as file:
                    for piece in body.iter_chunks(1 << 20):
                        file.write(piece)


def _unpack(archive: zipfile.ZipFile, into: Path) -> None:
    """Unpack with the files' modes; links last, so that no file is written through a link."""
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise SourceFailed(f"the source holds more than {MOST_FILES} files")
    _check_size(sum(each.file_size for each in entries))
    links = []
    left = MOST_BYTES
    for each in entries:
        mode = each.external_attr >> 16
        target = _inside(into, each.filename)
        if each.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif stat.S_ISLNK(mode):
            links.append((target, archive.read(each)))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(each) as packed, target.open("wb") as file:
                while piece := packed.read(1 << 20):
                    left -= len(piece)
                    _check_size(MOST_BYTES - left)
                    file.write(piece)
            if mode:
                target.chmod(stat.S_IMODE(mode) & 0o777 | stat.S_IRUSR | stat.S_IWUSR)
    root = into.resolve()
    for target, to in links:
        # one link may stand on the way to another
        if not target.parent.resolve().is_relative_to(root):
            raise _leads_out(target.relative_to(into).as_posix())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.fsdecode(to))


def _inside(into: Path, name: str) -> Path:
    target = Path(os.path.normpath(into / name))
    if not target.is_relative_to(into) or "\0" in name:
        raise _leads_out(name)
    return target


def _leads_out(name: str) -> SourceFailed:
    return SourceFailed(f"the source holds a path that leads out of the source: {name!r}")


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise SourceFailed(f"the source holds more than {MOST_BYTES >> 30} GiB")


_FETCH: Mapping[str, Callable[[Mapping[str, Any], str, Client, Path], None]] = {
    "NO_SOURCE": _nothing,
    "S3": _s3,
}

_CLONE: Mapping[str, Callable[[Origin, str, str, int, Path], str]] = {
    "CODECOMMIT": git_sources.codecommit,
    "GITHUB": git_sources.connected,
}
