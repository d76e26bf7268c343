"""The artifacts of a build, uploaded with the rights of the build's role.

Names of the objects: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.buildspec.artifacts import BuiltFile, NoArtifacts
from labs_helpers.buildspec.model import Artifacts
from labs_helpers.buildspec.patterns import expand
from labs_helpers.runner.sources import words


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


_DIGESTS: Mapping[str, Callable[[], Any]] = {"sha256sum": hashlib.sha256, "md5sum": _md5}
"""The facts about a ZIP file."""


class Outputs:
    """The artifacts of one build. facts: `artifacts` of BatchGetBuilds, once uploaded; secondary:
    the same of secondary artifacts, by identifier."""

    def __init__(
        self,
        config: Mapping[str, Any],
        secondary: Sequence[Mapping[str, Any]],
        build: str,
        client: Callable[[str], Any],
        beside: Path,
    ) -> None:
        """config: the project's artifacts; secondary: its secondary ones; build: the uuid of the
        build's id; beside: a folder where the build's commands cannot write."""
        self._config = config
        self._secondary = {each["artifactIdentifier"]: each for each in secondary}
        self._build = build
        self._client = client
        self._beside = beside
        self.facts: dict[str, Any] = {}
        self.secondary: dict[str, dict[str, Any]] = {}

    def deliver(
        self,
        name: str,
        output: Artifacts,
        files: Mapping[str, BuiltFile],
        variables: Mapping[str, str],
    ) -> list[Path]:
        """`buildspec.build.Deliver`."""
        config = self._secondary.get(name) if name else self._config
        if config is None:
            known = ", ".join(self._secondary) or "none"
            raise NoArtifacts(
                f"the buildspec has secondary artifacts {name}, and the project has none with the "
                f"artifactIdentifier {name} (it has {known})"
            )
        if config["type"] != "S3":
            return []
        try:
            made, facts = self._upload(config, output, files, variables)
        except ClientError as error:
            raise NoArtifacts(f"Error in UPLOAD_ARTIFACTS phase: {words(error)}") from error
        except (BotoCoreError, OSError) as error:
            raise NoArtifacts(f"Error in UPLOAD_ARTIFACTS phase: {error}") from error
        if name:
            self.secondary[name] = {**facts, "artifactIdentifier": name}
        else:
            self.facts = facts
        return made

    def _upload(
        self,
        config: Mapping[str, Any],
        output: Artifacts,
        files: Mapping[str, BuiltFile],
        variables: Mapping[str, str],
    ) -> tuple[list[Path], dict[str, Any]]:
        """What was written, and the facts that BatchGetBuilds shows."""
        bucket = config["location"].removeprefix("arn:aws:s3:::")
        name = config["name"]
        if config.get("overrideArtifactName") and output.name:
            name = expand(output.name, variables)
        between = self._build if config["namespaceType"] == "BUILD_ID" else ""
        key = "/".join(
            part.strip("/") for part in (config["path"], between, name) if part.strip("/")
        )
        s3 = self._client("s3")
        facts: dict[str, Any] = {
            "location": f"arn:aws:s3:::{bucket}/{key}",
            "encryptionDisabled": bool(config.get("encryptionDisabled")),
            "overrideArtifactName": bool(config.get("overrideArtifactName")),
        }
        if config["packaging"] == "ZIP":
            # a file without a name: in the build's folder a link could stand in its place
            with tempfile.TemporaryFile(dir=self._beside) as body:
                _pack(body, files)
                body.seek(0)
                s3.put_object(Bucket=bucket, Key=key, Body=body)
                for name, digest in _DIGESTS.items():
                    body.seek(0)
                    facts[name] = hashlib.file_digest(body, digest).hexdigest()
            return [Path(key)], facts
        for path, file in files.items():
            with file.open() as content:
                s3.put_object(Bucket=bucket, Key=f"{key}/{path}", Body=content.read())
        return [Path(key, path) for path in files], facts


def _pack(archive: IO[bytes], files: Mapping[str, BuiltFile]) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for path, file in files.items():
            with file.open() as content:
                found = os.fstat(content.fileno())
                entry = zipfile.ZipInfo(path, _date(found.st_mtime))
                entry.external_attr = (found.st_mode & 0xFFFF) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.file_size = found.st_size
                with opened.open(entry, "w") as sink:
                    shutil.copyfileobj(content, sink)


def _date(at: float) -> tuple[int, int, int, int, int, int]:
    """The local time of a file, within the years that ZIP knows."""
    found = time.localtime(at)[:6]
    return min(max(found, (1980, 1, 1, 0, 0, 0)), (2107, 12, 31, 23, 59, 59))
