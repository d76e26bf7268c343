"""The files of a lab in the learner's work folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from labs_helpers.prepare.step import Place, Step


def as_they_came(
    number: str, fact: str, names: Sequence[str] = ("*",), made: Sequence[str] = ()
) -> Step:
    """The lab's files are as they came, and those that its cells write are not there.

    names: glob patterns in ``notebooks/files/<number>``. made: files that the lab's cells write, by
    their path in the work folder; a folder that is empty without them is removed as well. What the
    learner wrote under other names stays.
    """

    def ensure(place: Place) -> None:
        files, work = place.files / number, place.workspace.work(number)
        for file in _matching(files, names):
            _copy(place, file, work / file.relative_to(files))
        for name in made:
            _remove(place, work, work / name)

    return Step(fact, ensure)


def _matching(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    found = {file for name in names for file in folder.glob(name)}
    return (file for file in sorted(found) if file.is_file())


def _copy(place: Place, file: Path, copy: Path) -> None:
    changed = copy.exists() and copy.read_bytes() != file.read_bytes()
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, copy)
    if changed:
        place.removed.append(f"your changes to the file {copy.name}")


def _remove(place: Place, work: Path, file: Path) -> None:
    if not file.exists():
        return
    file.unlink()
    place.removed.append(f"the file {file.relative_to(work)}")
    folder = file.parent
    while folder != work and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
