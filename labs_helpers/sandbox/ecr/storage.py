"""Storage classes of images: the archive, and the way back.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from labs_helpers.sandbox.ecr.image_rows import Image

RESTORE_TIME = timedelta(minutes=20)
"""How long an image is ACTIVATING: what AWS names as the longest time of a restore.

https://aws.amazon.com/about-aws/whats-new/2025/11/amazon-ecr-archive-storage-class-container-images/
"""

INACCESSIBLE = (
    "Requested image is archived or on the way back from the archive: restore the image with "
    "UpdateImageStorageClass, and wait until imageStatus is ACTIVE"
)
"""Why an image cannot be pulled. AWS publishes the status, 404, and no words."""


def archive(db: sqlite3.Connection, image: Image, at: datetime) -> None:
    """Move an image to the archive at that time, in the caller's transaction."""
    db.execute(
        "insert into image_storage values (?, 1, ?, ?) on conflict (image_id)"
        " do update set archived = 1, archived_at = excluded.archived_at",
        (image.id, at.timestamp(), image.activated_at and image.activated_at.timestamp()),
    )


def activate(db: sqlite3.Connection, image_id: int, at: datetime) -> None:
    """Let an archived image be active from that time on; other images are as they were."""
    db.execute(
        "update image_storage set archived = 0, activated_at = ?"
        " where image_id = ? and archived = 1",
        (at.timestamp(), image_id),
    )
