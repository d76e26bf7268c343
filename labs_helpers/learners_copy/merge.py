"""A learner's notebook and the project's new version of the notebook, brought together by cell.

A cell is known by its id, which JupyterLab keeps for the life of the cell (nbformat 4.5,
https://jupyter.org/enhancement-proposals/62-cell-id/cell-id.html). A merge is made only where each
cell has one possible result; whatever else is a :class:`Conflict`, and nothing is then changed.
Outputs are no reason for a conflict: a cell whose text the project changed loses its outputs.

nbdime could merge, too, but aligns cells by likeness and writes conflict markers into cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from labs_helpers.learners_copy.layout import source

Cell: TypeAlias = dict[str, Any]
Notebook: TypeAlias = dict[str, Any]


class Conflict(Exception):
    """The two versions cannot be brought together for certain; the message says why."""


@dataclass(frozen=True)
class Merged:
    """The merged notebook, and what the update did to it, a sentence a cell."""

    notebook: Notebook
    notes: tuple[str, ...]


def is_untouched(base: Notebook, mine: Notebook) -> bool:
    """Whether nobody has run or edited anything: JupyterLab alone may have noted the kernel."""
    unrun = all(not cell.get("outputs") for cell in mine["cells"])
    return unrun and _texts(base) == _texts(mine)


def same_text(one: Notebook, other: Notebook) -> bool:
    """Whether two notebooks have the same cells, whatever their outputs."""
    return _texts(one) == _texts(other)


def merge(base: Notebook, mine: Notebook, new: Notebook) -> Merged:
    """Put what the project changed since ``base`` into ``mine``; raises Conflict.

    The learner's own cells, edits and deletions stay, and the outputs of every cell whose text the
    project left alone.
    """
    olds, mines, news = _by_id(base), _by_id(mine), _by_id(new)
    kept: dict[str, Cell] = {}
    notes: list[str] = []
    for name in dict.fromkeys((*news, *mines)):
        cell, note = _cell(name, olds.get(name), mines.get(name), news.get(name))
        if cell is not None:
            kept[name] = cell
        if note:
            notes.append(note)
    order = _order(list(olds), list(mines), list(news), set(kept))
    merged = {**mine, "cells": [kept[name] for name in order]}
    merged["metadata"] = _settings(base, mine, new)
    return Merged(merged, tuple(notes))


def _cell(
    name: str, old: Cell | None, mine: Cell | None, new: Cell | None
) -> tuple[Cell | None, str]:
    """The cell of the merged notebook, None for none, and what to say of the cell."""
    if mine is not None and new is not None:
        if _text(mine) == _text(new):
            return {**mine, "metadata": _settings(old or {}, mine, new)}, ""
        if old is None:
            raise Conflict(f"two cells have the id {name}: yours and a new one")
        if _text(new) == _text(old):
            return mine, ""
        if _text(mine) == _text(old):
            return new, f"changed: {_begin(new)}"
        raise Conflict(f"you changed this cell, and the new version does too: {_begin(mine)}")
    if mine is not None:
        if old is None:
            return mine, ""
        if _text(mine) == _text(old):
            return None, f"removed: {_begin(mine)}"
        return (
            mine,
            f"not in the new version, kept because you changed it: {_begin(mine)}",
        )
    if new is not None and old is None:
        return new, f"added: {_begin(new)}"
    if new is not None and old is not None and _text(new) != _text(old):
        raise Conflict(f"you removed this cell, and the new version changes it: {_begin(new)}")
    return None, ""


def _order(olds: list[str], mines: list[str], news: list[str], kept: set[str]) -> list[str]:
    """The ids in ``kept``, in the order of whoever moved cells; raises Conflict if both did.

    Cells that one side alone has stand after the cell that they stood after there; where both have
    new cells at one place, the learner's come first.
    """
    common = [name for name in olds if name in mines and name in news]
    mine_moved = [name for name in mines if name in common] != common
    new_moved = [name for name in news if name in common] != common
    if mine_moved and new_moved:
        raise Conflict("you moved cells to other places, and the new version does too")
    spine, others = (mines, news) if mine_moved else (news, mines)
    order = [name for name in spine if name in kept]
    placed = set(order)
    at = 0
    for name in others:
        if name in placed:
            at = order.index(name) + 1
        elif name in kept:
            order.insert(at, name)
            at += 1
    return order


def _settings(base: Notebook, mine: Notebook, new: Notebook) -> dict[str, Any]:
    """The metadata of a cell or a notebook: the learner's where changed, else the new version's."""
    old, ours, theirs = (one.get("metadata", {}) for one in (base, mine, new))
    changed = {key: value for key, value in ours.items() if old.get(key) != value}
    gone = {key for key in old if key not in ours}
    return {**{key: value for key, value in theirs.items() if key not in gone}, **changed}


def _by_id(notebook: Notebook) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for cell in notebook["cells"]:
        name = cell.get("id")
        if not isinstance(name, str) or name in found:
            raise Conflict("a cell has no id, or the id of another cell")
        found[name] = cell
    return found


def _text(cell: Cell) -> tuple[Any, ...]:
    """What a person wrote in a cell."""
    return cell["cell_type"], source(cell), cell.get("attachments") or {}


def _texts(notebook: Notebook) -> list[tuple[Any, ...]]:
    return [_text(cell) for cell in notebook["cells"]]


def _begin(cell: Cell) -> str:
    """The first line of a cell that says something, shortened."""
    lines = [line.strip() for line in source(cell).splitlines() if line.strip(" #\t")]
    first = lines[0] if lines else "(an empty cell)"
    return first if len(first) <= 60 else first[:59] + "…"
