"""The images that ``--filter`` selects, for a listing and for a prune.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageList
and https://github.com/moby/moby/blob/v28.2.2/daemon/images/images.go
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from labs_helpers.oci import reference as references

from ..build.gotext import parse_duration, quote
from ..errors import BadRequest
from ..glob import BadPattern, Glob
from ..image_config import created_at
from ..store import Image, ImageStore

Filters = Mapping[str, Sequence[str]]
Names = tuple[Sequence[str], Sequence[str]]

LIST_FILTERS = frozenset({"dangling", "label", "before", "since", "reference", "until"})
PRUNE_FILTERS = frozenset({"dangling", "label", "label!", "until"})


def check(filters: Mapping[str, list[str]], accepted: frozenset[str]) -> Filters:
    """The filters, once their names are checked. Raises BadRequest."""
    for name in filters:
        if name not in accepted:
            raise BadRequest(f"invalid filter '{name}'")
    return filters


def listed_names(
    image: Image, filters: Filters, store: ImageStore, has_children: bool
) -> Names | None:
    """The tags and digests that a listing shows for an image; None when the image is left out.

    Args:
        has_children: other images were built on this one, so that it never counts as dangling.

    Raises:
        BadRequest, NoSuchImage: the value of a filter is malformed, or names no image.
    """
    if "dangling" in filters and boolean(filters["dangling"], "dangling") != (
        not has_children and not image.names
    ):
        return None
    if not all(_has_label(image, label) for label in filters.get("label", ())):
        return None
    for name in filters.get("before", ()):
        if _order(image) >= _order(store.find(name)):
            return None
    for name in filters.get("since", ()):
        if _order(image) <= _order(store.find(name)):
            return None
    if "until" in filters and _last_used(image) >= until_moment(filters["until"]):
        return None
    patterns = _globs(filters.get("reference", ()))
    if not patterns:
        return image.names, image.digests
    tags = [name for name in image.names if _matches(name, patterns)]
    digests = [name for name in image.digests if _matches(name, patterns)]
    return (tags, digests) if tags or digests else None


def is_pruned(image: Image, filters: Filters) -> bool:
    """Whether a prune with these filters removes an image. Raises BadRequest."""
    if not all(_has_label(image, label) for label in filters.get("label", ())):
        return False
    if any(_has_label(image, label) for label in filters.get("label!", ())):
        return False
    return "until" not in filters or _last_used(image) < until_moment(filters["until"])


def boolean(values: Sequence[str], name: str) -> bool:
    """The boolean value of a filter. Raises BadRequest."""
    if len(values) != 1 or values[0].lower() not in ("true", "false", "1", "0"):
        raise BadRequest(f"invalid filter '{name}=[{' '.join(values)}]'")
    return values[0].lower() in ("true", "1")


def _order(image: Image) -> tuple[float, int]:
    # every image built here has the same date, so the order of arrival decides
    return created_at(image.config), image.sequence


def _last_used(image: Image) -> float:
    """The later of creation and last tag: images built here all have the same creation date."""
    return max(created_at(image.config), image.tagged_at)


def until_moment(values: Sequence[str]) -> float:
    """A Unix time, a date or a duration before now (``10m``, ``24h``), as a Unix time.

    Raises:
        BadRequest: there is more than one value, or it is malformed.
    """
    if len(values) != 1:
        raise BadRequest("more than one until filter specified")
    text = values[0]
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    try:
        return time.time() - parse_duration(text) / 10**9
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"failed to parse value as time or duration: {quote(text)}") from error


def _has_label(image: Image, wanted: str) -> bool:
    labels = (image.config.get("config") or {}).get("Labels") or {}
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _matches(name: str, patterns: Sequence[Glob]) -> bool:
    """Whether a pattern matches the name, familiar or canonical, with or without its tag."""
    parsed = references.parse(name, default_tag=False)
    candidates = (parsed.familiar, parsed.familiar_name, str(parsed), parsed.name)
    return any(pattern.matches(candidate) for pattern in patterns for candidate in candidates)


def _globs(patterns: Sequence[str]) -> list[Glob]:
    try:
        return [Glob(pattern) for pattern in patterns]
    except BadPattern as error:
        raise BadRequest(f"invalid filter 'reference={error}': syntax error in pattern") from error
