"""The artifacts of a build, uploaded with the rights of the build's role.

Names of the objects: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.buildspec.artifacts import NoArtifacts
from labs_helpers.buildspec.model import Artifacts
from labs_helpers.buildspec.patterns import expand
from labs_helpers.runner.sources import words


class Outputs:
    """The primary artifacts of one build. facts: `artifacts` of BatchGetBuilds, once uploaded."""

    def __init__(
        self, config: Mapping[str, Any], build: str, client: Callable[[str], Any], scratch: Path
    ) -> None:
        """config: the project's artifacts; build: the uuid of the build's id."""
        self._config = config
        self._build = build
        self._client = client
        self._scratch = scratch
        self.facts: dict[str, Any] = {}

    def deliver(
        self, name: str, output: Artifacts, files: Mapping[str, Path], variables: Mapping[str, str]
    ) -> list[Path]:
        """`buildspec.build.Deliver`."""
        if self._config["type"] != "S3":
            return []
        if name:
            raise NoArtifacts(
                f"the project has no artifacts with the identifier {name}; the sandbox uploads the "
                "primary artifacts only"
            )
        try:
            return self._upload(output, files, variables)
        except ClientError as error:
            raise NoArtifacts(f"Error in UPLOAD_ARTIFACTS phase: {words(error)}") from error
        except (BotoCoreError, OSError) as error:
            raise NoArtifacts(f"Error in UPLOAD_ARTIFACTS phase: {error}") from error

    def _upload(
        self, output: Artifacts, files: Mapping[str, Path], variables: Mapping[str, str]
    ) -> list[Path]:
        config = self._config
        bucket = config["location"].removeprefix("arn:aws:s3:::")
        name = config["name"]
        if config.get("overrideArtifactName") and output.name:
            name = expand(output.name, variables)
        between = self._build if config["namespaceType"] == "BUILD_ID" else ""
        key = "/".join(
            part.strip("/") for part in (config["path"], between, name) if part.strip("/")
        )
        s3 = self._client("s3")
        self.facts = {
            "location": f"arn:aws:s3:::{bucket}/{key}",
            "encryptionDisabled": bool(config.get("encryptionDisabled")),
            "overrideArtifactName": bool(config.get("overrideArtifactName")),
        }
        if config["packaging"] == "ZIP":
            packed = self._packed(files)
            with packed.open("rb") as body:
                s3.put_object(Bucket=bucket, Key=key, Body=body)
            content = packed.read_bytes()
            self.facts["sha256sum"] = hashlib.sha256(content).hexdigest()
            self.facts["md5sum"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
            return [Path(key)]
        for path, file in files.items():
            s3.put_object(Bucket=bucket, Key=f"{key}/{path}", Body=file.read_bytes())
        return [Path(key, path) for path in files]

    def _packed(self, files: Mapping[str, Path]) -> Path:
        archive = self._scratch / "artifacts.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as opened:
            for path, file in files.items():
                opened.write(file, path)
        return archive
