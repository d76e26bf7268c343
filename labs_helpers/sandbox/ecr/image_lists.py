"""Parts of the list of a repository's images, filtered and limited by the database.

A page of a long list costs what the page costs, whatever the length of the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from labs_helpers.sandbox.ecr import image_rows
from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.store import Store


@dataclass(frozen=True)
class Chosen:
    """Which images a list is of: by tagStatus and imageStatus at a time, "ANY" for all."""

    tags: str
    status: str
    now: datetime

    @property
    def condition(self) -> str:
        """An SQL condition on a row of images beside one of image_storage."""
        return f"{_BY_TAGS[self.tags]} and {_BY_STATUS[self.status]}"

    @property
    def values(self) -> tuple[float, ...]:
        """The values of the marks in the condition."""
        return (self.now.timestamp(),) * self.condition.count("?")


_TAGGED = "exists (select 1 from image_tags where image_id = images.id)"
_BY_TAGS = {"ANY": "1", "TAGGED": _TAGGED, "UNTAGGED": f"not {_TAGGED}"}

_ON_THE_WAY = "coalesce(activated_at, 0) > ?"
_BY_STATUS = {
    "ANY": "1",
    "ARCHIVED": "archived = 1",
    "ACTIVATING": f"archived = 0 and {_ON_THE_WAY}",
    "ACTIVE": f"coalesce(archived, 0) = 0 and not {_ON_THE_WAY}",
}
"""Of `Image.status`, as SQL."""


def after(
    store: Store, repository: Repository, chosen: Chosen, last: int, limit: int
) -> list[Image]:
    """The next images of the repository that are chosen, in the order they were pushed.

    last: the `Image.id` after which to begin; limit: so many at most.
    """
    where = f"images.repository_id = ? and images.id > ? and {chosen.condition}"
    with store.read() as db:
        return image_rows.select(db, where, (repository.id, last, *chosen.values), limit)


def names_after(
    store: Store, repository: Repository, chosen: Chosen, last: tuple[int, str], limit: int
) -> list[tuple[int, str, str | None]]:
    """(id, digest, tag) of the next tags of chosen images; tag is None for an image without tags.

    last: the id and the tag after which to begin, "" for no tag.
    """
    # by the order of the index on an image's tags, so that nothing is sorted: the repository is one
    with store.read() as db:
        cursor = db.cursor()
        cursor.row_factory = None  # tuples, which are made faster than Row
        return cursor.execute(
            "select images.id, digest, tag from images"
            " left join image_storage on image_storage.image_id = images.id"
            " left join image_tags on image_tags.image_id = images.id"
            " where images.repository_id = ? and images.id >= ?"
            " and (images.id > ? or coalesce(tag, '') > ?)"
            f" and {chosen.condition} order by images.id, image_tags.repository_id, tag limit ?",
            (repository.id, last[0], *last, *chosen.values, limit),
        ).fetchall()
