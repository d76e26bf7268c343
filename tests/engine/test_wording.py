"""Each sentence of the engine has its source in one place: labs_helpers/engine/wording.

A table for each program has the sentences in the program's words, by the program's file, with the
version and the day on which somebody read that file. `ours.toml` has the sentences that quote
nobody.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from tests.engine import sentences
from tests.engine.sentences import OURS, TABLES, rows, table

PROGRAMS = sorted(path.stem for path in TABLES.glob("*.toml") if path.stem != OURS)
SAID = sentences.sentences()


def test_every_sentence_has_its_source() -> None:
    known = {sentence for path in TABLES.glob("*.toml") for sentence in rows(path.stem)}
    new = {
        text: places
        for text, places in SAID.items()
        if text not in known and not sentences.names_the_labs(text)
    }
    assert not new, (
        "Sentences without a source. For words of Docker, BuildKit, containerd, runc, a registry or"
        " Podman: find them in the version that labs_helpers/engine/wording/PROGRAM.toml names, and"
        f" add the sentence there below its file. For words of our own: {OURS}.toml."
    )


def test_every_row_is_a_sentence_of_the_engine() -> None:
    for name in [*PROGRAMS, OURS]:
        unsaid = rows(name) - set(SAID)
        assert not unsaid, f"rows of {name}.toml that the engine does not say: take them out"


def test_no_sentence_is_both_quoted_and_ours() -> None:
    assert not {text for name in PROGRAMS for text in rows(name)} & rows(OURS)


def test_a_table_says_which_version_was_read_and_when() -> None:
    for name in PROGRAMS:
        found = table(name)
        assert re.fullmatch(r"https://github\.com/[a-z]+/[a-z]+", found["repository"]), name
        assert found["version"], name
        assert datetime.date(2026, 1, 1) < found["read"] < datetime.date(2100, 1, 1), name
        assert all(Path(file).suffix == ".go" for file in found["sentences"]), name


def test_our_own_sentences_stand_below_a_file_that_says_them() -> None:
    for file, texts in table(OURS)["sentences"].items():
        for text in texts:
            assert any(place.startswith(f"{file}:") for place in SAID[text]), (file, text)
