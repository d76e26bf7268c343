"""Which images a listing shows and a prune takes: ``--filter``.

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
from ..image_config import created_at
from ..store import Image, ImageStore

Filters = Mapping[str, Sequence[str]]
Names = tuple[Sequence[str], Sequence[str]]

OF_LIST = frozenset({"dangling", "label", "before", "since", "reference", "until"})
OF_PRUNE = frozenset({"dangling", "label", "label!", "until"})


def read(given: Mapping[str, list[str]], accepted: frozenset[str]) -> Filters:
    """Check the names of filters. Raises BadRequest."""
    for name in given:
        if name not in accepted:
            raise BadRequest(f"invalid filter '{name}'")
    return given


def listed(image: Image, given: Filters, store: ImageStore, used: bool) -> Names | None:
    """The tags and digests that an image is listed with, None when it is not.

    Args:
        used: other images were built on it, so that it dangles not even without a name.

    Raises:
        BadRequest, NoSuchImage: a value is not one.
    """
    if "dangling" in given and truth(given["dangling"], "dangling") != (
        not used and not image.names
    ):
        return None
    if not all(_has_label(image, label) for label in given.get("label", ())):
        return None
    for name in given.get("before", ()):
        if _moment(image) >= _moment(store.find(name)):
            return None
    for name in given.get("since", ()):
        if _moment(image) <= _moment(store.find(name)):
            return None
    if "until" in given and _made(image) >= _until(given["until"]):
        return None
    patterns = given.get("reference")
    if not patterns:
        return image.names, image.digests
    tags = [name for name in image.names if _matches(name, patterns)]
    digests = [name for name in image.digests if _matches(name, patterns)]
    return (tags, digests) if tags or digests else None


def pruned(image: Image, given: Filters) -> bool:
    """Whether a prune with these filters takes an image. Raises BadRequest."""
    if not all(_has_label(image, label) for label in given.get("label", ())):
        return False
    if any(_has_label(image, label) for label in given.get("label!", ())):
        return False
    return "until" not in given or _made(image) < _until(given["until"])


def truth(values: Sequence[str], name: str) -> bool:
    """The one boolean of a filter. Raises BadRequest."""
    if len(values) != 1 or values[0].lower() not in ("true", "false", "1", "0"):
        raise BadRequest(f"invalid filter '{name}=[{' '.join(values)}]'")
    return values[0].lower() in ("true", "1")


def _moment(image: Image) -> tuple[float, int]:
    # every image built here bears one date; the order in which they came then decides
    return created_at(image.config), image.place


def _made(image: Image) -> float:
    """When it was made or last named: the date of what is built here says nothing."""
    return max(created_at(image.config), image.tagged)


def _until(values: Sequence[str]) -> float:
    """A Unix time, a date, or how long ago (``10m``, ``24h``)."""
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


def _matches(name: str, patterns: Sequence[str]) -> bool:
    """Docker's rule: the pattern is tried on the familiar name, with and without its tag."""
    parsed = references.parse(name, default_tag=False)
    candidates = (parsed.familiar, parsed.familiar_name, str(parsed), parsed.name)
    return any(
        _glob(pattern).fullmatch(candidate) for pattern in patterns for candidate in candidates
    )


def _glob(pattern: str) -> re.Pattern[str]:
    # as path.Match of Go: a star stays within one component
    parts = ("[^/]*" if c == "*" else "[^/]" if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts))
