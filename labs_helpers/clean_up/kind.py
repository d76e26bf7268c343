"""A kind of things that the labs make, and what the kinds share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labs_helpers.prepare.step import Place

Tags = dict[str, str]
FREE = "costs nothing by itself"


@dataclass(frozen=True)
class Kind:
    """How the things of one kind are listed, tagged and deleted.

    ``names`` lists what the account has of this kind, in the place's region. ``tags`` and ``tag``
    read and add tags; None for a kind that AWS cannot tag: a cache rule, a creation template, a
    group of IAM. ``costs`` says what a thing costs while it stays.
    """

    names: Callable[[Place], Iterator[str]]
    delete: Callable[[Place, str], None]
    tags: Callable[[Place, str], Tags] | None = None
    tag: Callable[[Place, str, Tags], object] | None = None
    costs: str = FREE


def all_of(service: str, operation: str, query: str) -> Callable[[Place], Iterator[str]]:
    def names(place: Place) -> Iterator[str]:
        yield from place.client(service).get_paginator(operation).paginate().search(query)

    return names


def pairs(tags: Tags, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: given} for name, given in tags.items()]


def read(found: list[dict[str, str]], key: str = "Key", value: str = "Value") -> Tags:
    return {one[key]: one[value] for one in found}
