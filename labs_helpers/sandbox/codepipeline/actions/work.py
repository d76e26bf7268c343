"""One look at an action that runs: what a provider is given, and what the provider says.

Sentences of CodePipeline's that its users quote, of access to artifacts and to services:
https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
"""

from __future__ import annotations

import io
import lzma
import secrets
import string
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

LARGEST = 256 * 1024 * 1024
"""Bytes of an artifact, packed or unpacked, which is held in memory.

AWS takes more of most sources:
https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
"""
MOST_FILES = 10_000

_DAMAGED = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError),
    *(zlib.error, lzma.LZMAError, OSError),
)
"""What Python raises at a ZIP file that is none, or whose content is damaged."""
_LETTERS = string.ascii_letters + string.digits
_REFUSED = ("AccessDenied", "AccessDeniedException", "403", "AllAccessDisabled")


class ActionFailed(Exception):
    """The action fails; code and message are those of errorDetails."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Outcome:
    """What a look at an action found. status: InProgress, Succeeded or Failed.

    external: {"id", "url"} of what the action runs elsewhere; output: artifacts as {"name",
    "bucket", "key"}; revision: {"id", "summary"} of a source; memory: for the next look.
    """

    status: str
    summary: str = ""
    external: dict[str, str] = field(default_factory=dict)
    output: list[dict[str, str]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    revision: dict[str, str] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """An action that runs, with the clients of its role.

    action: of the definition; configuration: resolved; inputs: artifacts as {"name", "bucket",
    "key"}; revision: the source revision of the first input, empty for an artifact that another
    action made; bucket: of the artifact store; memory: what the last look left; override: the
    revision that StartPipelineExecution asked for, as {"revisionType", "revisionValue"}; require:
    raises AccessDenied unless the role may do an action on a resource; folder: of a connection's
    repository; archive: the ZIP file of a commit in CodeCommit, by repository and commit, raises
    LookupError; run_elsewhere: has the runner do a job, and returns its result once there is one.
    """

    pipeline: str
    execution: str
    stage: str
    id: str
    action: Mapping[str, Any]
    configuration: Mapping[str, str]
    inputs: list[dict[str, str]]
    revision: str
    bucket: str
    account: str
    region: str
    token: str
    at: float
    client: Callable[[str], Any]
    require: Callable[[str, str], None]
    folder: Callable[[str, str], str]
    archive: Callable[[str, str], bytes]
    run_elsewhere: Callable[[dict[str, Any]], dict[str, Any] | None]
    memory: Mapping[str, Any]
    override: Mapping[str, str]

    def place(self, artifact: str) -> dict[str, str]:
        """Where a new output artifact goes, as CodePipeline names its objects."""
        name = "".join(secrets.choice(_LETTERS) for _ in range(7))
        return {
            "name": artifact,
            "bucket": self.bucket,
            "key": f"{self.pipeline[:20]}/{artifact[:10]}/{name}",
        }

    def read(self) -> bytes:
        """The first input artifact; raises ActionFailed."""
        given = self.inputs[0]
        try:
            found = self.client("s3").get_object(Bucket=given["bucket"], Key=given["key"])
            return body_of(found, given["key"])
        except ClientError as error:
            code = "PermissionError" if refused(error) else "ConfigurationError"
            raise ActionFailed(
                code,
                f"Unable to access the artifact with Amazon S3 object key '{given['key']}' located "
                f"in the Amazon S3 artifact bucket '{given['bucket']}'. {denial(error)}",
            ) from error

    def unpacked(self) -> dict[str, bytes]:
        """The files of the first input artifact by their paths; raises ActionFailed."""
        try:
            with zipfile.ZipFile(io.BytesIO(self.read())) as archive:
                entries = [each for each in archive.infolist() if not each.is_dir()]
                if len(entries) > MOST_FILES or sum(each.file_size for each in entries) > LARGEST:
                    raise ActionFailed("ConfigurationError", "The artifact unpacks to too much.")
                return {each.filename: archive.read(each) for each in entries}
        except _DAMAGED as error:
            raise ActionFailed(
                "ConfigurationError",
                f"The input artifact {self.inputs[0]['name']} is not a ZIP file: {error}",
            ) from error

    def write(self, content: bytes) -> dict[str, str]:
        """Put the output artifact of the action into the store; raises ActionFailed."""
        place = self.place(self.action["outputArtifacts"][0]["name"])
        try:
            self.client("s3").put_object(Bucket=place["bucket"], Key=place["key"], Body=content)
        except ClientError as error:
            code = "PermissionError" if refused(error) else "ConfigurationError"
            raise ActionFailed(
                code, f"Upload to S3 failed with the following error: {words(error, 'Amazon S3')}"
            ) from error
        return place


def body_of(found: Mapping[str, Any], key: str) -> bytes:
    """The content of an object that was got; raises ActionFailed for a large one."""
    if found["ContentLength"] > LARGEST:
        raise ActionFailed(
            "ConfigurationError",
            f"The object {key} is larger than the {LARGEST >> 20} MiB that the sandbox takes",
        )
    content: bytes = found["Body"].read()
    return content


def refused(error: ClientError) -> bool:
    return str(error.response["Error"]["Code"]) in _REFUSED


def denial(error: ClientError) -> str:
    if refused(error):
        return "The provided role does not have sufficient permissions."
    return words(error, "Amazon S3")


def words(error: ClientError, service: str) -> str:
    """An error of AWS as Java's SDK, and so CodePipeline, prints such errors."""
    found, meta = error.response["Error"], error.response["ResponseMetadata"]
    return (
        f"{found['Message']} (Service: {service}; Status Code: {meta.get('HTTPStatusCode')}; "
        f"Error Code: {found['Code']}; Request ID: {meta.get('RequestId', '')})"
    )


def failed_call(error: BaseException) -> ActionFailed:
    """The failure of an action whose call failed in a way that its provider has no words for."""
    if isinstance(error, ClientError):
        code = "PermissionError" if refused(error) else "JobFailed"
        return ActionFailed(code, words(error, str(error.operation_name)))
    if isinstance(error, BotoCoreError):
        return ActionFailed("JobFailed", str(error))
    return ActionFailed("InternalError", f"The sandbox failed here: {error!r}. See sandbox.log.")
