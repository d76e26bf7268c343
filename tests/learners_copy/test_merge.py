"""A learner's notebook and a new version of it: what is brought together, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.learners_copy.merge import Conflict, is_untouched, merge


def book(*cells: tuple[str, str] | dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A notebook of code cells, each (id, source) or a whole cell."""
    made = [cell if isinstance(cell, dict) else code(*cell) for cell in cells]
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def code(name: str, source: str, outputs: list[Any] | None = None, **metadata: Any) -> Any:
    return {
        "id": name,
        "cell_type": "code",
        "source": source.splitlines(keepends=True),
        "metadata": metadata,
        "outputs": outputs or [],
        "execution_count": 1 if outputs else None,
    }


def texts(notebook: dict[str, Any]) -> list[tuple[str, str]]:
    return [(cell["id"], "".join(cell["source"])) for cell in notebook["cells"]]


BASE = book(("a", "one"), ("b", "two"), ("c", "three"))
SEEN = [{"output_type": "stream", "name": "stdout", "text": "seen\n"}]


@pytest.mark.parametrize(
    ("mine", "new", "merged"),
    [
        # each side changes another cell
        ("a1 b c", "a b c2", "a1 b c2"),
        # both make the same change
        ("a1 b c", "a1 b c", "a1 b c"),
        # a cell added by one, by the other, by both at one place, by both at two places
        ("a x b c", "a b c", "a x b c"),
        ("a b c", "a b y c", "a b y c"),
        ("a x b c", "a y b c", "a x y b c"),
        ("x a b c", "a b c y", "x a b c y"),
        ("a x z b c", "a b c", "a x z b c"),
        # deleted by one, by the other, by both
        ("a c", "a b c", "a c"),
        ("a b c", "a c", "a c"),
        ("a c", "a c", "a c"),
        # deleted by the project, and changed by the learner: the learner's words stay
        ("a b1 c", "a c", "a b1 c"),
        # the learner's own cell stays after a deleted neighbour
        ("a b x c", "a c", "a x c"),
        # moved by one of the two
        ("c a b", "a b c", "c a b"),
        ("a b c", "b c a", "b c a"),
        ("c a b", "a b y c", "c a b y"),
        ("a x b c", "c b a", "c b a x"),
        # everything deleted by the learner
        ("", "a b c", ""),
    ],
)
def test_each_side_s_changes_meet(mine: str, new: str, merged: str) -> None:
    def version(written: str) -> dict[str, Any]:
        return book(*((word[0], word) for word in written.split()))

    found = merge(version("a b c"), version(mine), version(new)).notebook

    assert [text for _, text in texts(found)] == merged.split()


@pytest.mark.parametrize(
    ("mine", "new", "why"),
    [
        (book(("a", "mine"), ("b", "two")), book(("a", "new"), ("b", "two")), "you changed this"),
        (book(("b", "two")), book(("a", "new"), ("b", "two")), "you removed this cell"),
        (
            book(("a", "one"), ("b", "two"), ("x", "mine")),
            book(("a", "one"), ("b", "two"), ("x", "new")),
            "two cells have the id x",
        ),
        (book(("a", "one"), ("a", "two")), book(("a", "one"), ("b", "2")), "the id of another"),
        (
            book({**code("a", "one"), "id": None}, ("b", "two")),
            book(("a", "one"), ("b", "2")),
            "no id",
        ),
    ],
)
def test_what_is_not_certain_is_a_conflict(mine: Any, new: Any, why: str) -> None:
    with pytest.raises(Conflict, match=why):
        merge(book(("a", "one"), ("b", "two")), mine, new)


def test_cells_that_both_moved_are_a_conflict() -> None:
    mine = book(("c", "three"), ("a", "one"), ("b", "two"))
    new = book(("b", "two"), ("a", "one"), ("c", "three"))
    with pytest.raises(Conflict, match="moved"):
        merge(BASE, mine, new)


def test_outputs_stay_with_the_text_that_made_them() -> None:
    mine = book(code("a", "one", SEEN), code("b", "two", SEEN), ("c", "three"))
    new = book(("a", "one"), ("b", "two, better"), ("c", "three"))

    a, b, _ = merge(BASE, mine, new).notebook["cells"]

    assert a["outputs"] == SEEN
    assert (b["outputs"], "".join(b["source"])) == ([], "two, better")


def test_what_changed_is_told_cell_by_cell() -> None:
    mine = book(("a", "one"), ("b", "two"), ("c", "mine"))
    new = book(("a", "# One, better\nmore"), ("d", "four"))

    assert merge(BASE, mine, new).notes == (
        "changed: # One, better",
        "added: four",
        "removed: two",
        "not in the new version, kept because you changed it: mine",
    )


def test_settings_are_the_learner_s_where_they_changed_them() -> None:
    base = book(code("a", "one", tags=["exercise"]), kernelspec={"name": "python3"})
    mine = book(
        code("a", "one", tags=["exercise"], collapsed=True),
        kernelspec={"name": "python3"},
        language_info={"version": "3.12"},
    )
    new = book(code("a", "one", tags=["exercise", "warns"]), kernelspec={"name": "python4"})

    merged = merge(base, mine, new).notebook

    assert merged["cells"][0]["metadata"] == {"tags": ["exercise", "warns"], "collapsed": True}
    assert merged["metadata"]["kernelspec"] == {"name": "python4"}
    assert merged["metadata"]["language_info"] == {"version": "3.12"}


def test_a_source_as_one_string_is_the_same_text() -> None:
    mine = book({**code("a", "one"), "source": "one"}, ("b", "two"), ("c", "three"))
    assert is_untouched(BASE, mine)
    assert merge(BASE, mine, book(("a", "1"), ("b", "two"), ("c", "three"))).notes == (
        "changed: 1",
    )


def test_a_notebook_that_was_run_is_not_untouched() -> None:
    assert not is_untouched(BASE, book(code("a", "one", SEEN), ("b", "two"), ("c", "three")))
    assert is_untouched(BASE, book(*BASE["cells"], language_info={"version": "3.12"}))


VERSIONS = st.dictionaries(st.sampled_from("abcdxy"), st.sampled_from(["1", "2", "3"])).flatmap(
    lambda cells: st.permutations(list(cells.items()))
)


@given(base=VERSIONS, mine=VERSIONS, new=VERSIONS)
def test_no_word_of_the_learner_s_is_lost(base: Any, mine: Any, new: Any) -> None:
    """Whatever the three versions: what the learner wrote is in the merged one, or none is made."""
    try:
        merged = texts(merge(book(*base), book(*mine), book(*new)).notebook)
    except Conflict:
        return
    assert len(dict(merged)) == len(merged)
    assert set(mine) - set(base) <= set(merged)
    # nothing comes from nowhere, and what both have is there
    assert set(merged) <= set(mine) | set(new)
    assert set(mine) & set(new) <= set(merged)
    # what the project added or changed is there as well
    assert set(new) - set(base) <= set(merged)
