"""Who speaks to a class: the owner of the folder, also where all may write into the folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labs_helpers.classroom import handouts
from labs_helpers.files import LabsError

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody")
LEARNER, INSTRUCTOR = 4321, 4320


def test_the_owner_of_a_shared_folder_speaks(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    handouts.add(tmp_path, handouts.sentence("Break until ten."))
    assert [each.text for each in handouts.read(tmp_path)] == ["Break until ten."]


@ROOT
@pytest.mark.parametrize(("writer", "texts"), [(LEARNER, []), (INSTRUCTOR, ["Run this."])])
def test_a_learner_does_not_speak_as_the_instructor(
    tmp_path: Path, writer: int, texts: list[str]
) -> None:
    handouts.add(tmp_path, handouts.sentence("Run this."))
    os.chown(tmp_path, INSTRUCTOR, INSTRUCTOR)
    os.chown(tmp_path / handouts.FILE, writer, writer)
    assert [each.text for each in handouts.read(tmp_path)] == texts


def test_nobody_hands_out_in_the_folder_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: LEARNER)
    with pytest.raises(LabsError, match="belongs to user"):
        handouts.add(tmp_path, handouts.sentence("Run this."))
    assert [*tmp_path.iterdir()] == []
