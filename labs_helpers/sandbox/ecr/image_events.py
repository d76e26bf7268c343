"""The events "ECR Image Action": an image was pushed, an image or a tag of it was deleted.

Sources: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html ("Event for a
completed image push", "Event for an image deletion"). The members ``manifest-media-type`` and
``artifact-media-type`` are those of the schema ``aws.ecr@ECRImageAction``
(https://docs.aws.amazon.com/cdk/api/v2/docs/@aws-cdk_mixins-preview.aws_ecr.events.ECRImageAction.html).
A push without a tag, such as that of an index's parts, has the tag "", as events of AWS show. How
many events AWS sends for an image deleted with several tags is not documented: here it is one a
tag, as BatchDeleteImage lists them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from labs_helpers.sandbox.ecr import events
from labs_helpers.sandbox.ecr.repositories import Repository

if TYPE_CHECKING:
    from labs_helpers.sandbox.ecr.images import Image

DETAIL_TYPE = "ECR Image Action"


def pushed(
    db: sqlite3.Connection, repository: Repository, image: Image, tag: str | None, at: float
) -> None:
    """An image or a tag is new in the repository."""
    _keep(db, repository, image, "PUSH", tag, at)


def deleted(
    db: sqlite3.Connection,
    repository: Repository,
    image: Image,
    tags: Sequence[str],
    at: float,
) -> None:
    """An image went with these tags, or these tags of it."""
    for tag in tags or (None,):
        _keep(db, repository, image, "DELETE", tag, at)


def _keep(
    db: sqlite3.Connection,
    repository: Repository,
    image: Image,
    action: str,
    tag: str | None,
    at: float,
) -> None:
    detail = {
        "result": "SUCCESS",
        "repository-name": repository.name,
        "image-digest": image.digest,
        "action-type": action,
        "image-tag": tag or "",
        "manifest-media-type": image.media_type,
    }
    if image.artifact_type:
        detail["artifact-media-type"] = image.artifact_type
    events.keep(db, repository.registry, at, DETAIL_TYPE, detail)
