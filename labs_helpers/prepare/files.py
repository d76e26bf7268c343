"""The files of a lab in the learner's work folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.files import unused
from labs_helpers.prepare.step import Place, Step


def as_they_came(
    number: str,
    fact: str,
    names: Sequence[str] = ("*",),
    made: Sequence[str] = (),
    of: str = "",
    on_aws: Path | None = None,
) -> Step:
    """The lab's files are as they came, and those that its cells write are not there.

    names: glob patterns in ``notebooks/files/<number>``, or in the files of the lab ``of``. made:
    files that the lab's cells write, by their path in the work folder; a folder that is empty
    without them is removed as well. on_aws: a folder with files that say something else on AWS,
    under the same names. What the learner wrote under other names stays. A file that the
    learner wrote is kept in the folder of snapshots before it is replaced or removed, and the card
    names the place.
    """

    def ensure(place: Place) -> None:
        files, work = place.files / (of or number), place.workspace.work(number)
        backup = Backup(unused(place.workspace.snapshots / f"lab{number}-files"))
        for file in _matching(files, names):
            copy = work / file.relative_to(files)
            _copy(place, other_on_aws(place, file, on_aws), copy, backup)
            place.laid.add(str(file.relative_to(files)))
        for name in made:
            _remove(place, work, work / name, backup)

    return Step(fact, ensure)


def other_on_aws(place: Place, file: Path, folder: Path | None) -> Path:
    """On AWS, the file of the same name in ``folder``, where there is one; ``file`` otherwise."""
    other = folder / file.name if folder and place.mode != "sandbox" else file
    return other if other.exists() else file


def no_git_history(number: str) -> Step:
    """The lab's folder is no git repository. A history that the learner made is kept elsewhere."""

    def ensure(place: Place) -> None:
        history = place.workspace.work(number) / ".git"
        if history.exists():
            kept = unused(place.workspace.snapshots / f"lab{number}-git")
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(history, kept)
            where = f".labs/{kept.parent.name}/{kept.name}/"
            place.removed.append(f"the git history of the lab's folder (kept in {where})")

    return Step("the lab's folder is not a git repository yet", ensure)


def missing(number: str, place: Place) -> list[str]:
    """Files that the lab comes with and that are not in the learner's folder of the lab."""
    work = place.workspace.work(number)
    return [name for name in _names(place.files / number) if not (work / name).exists()]


def others(number: str, place: Place) -> list[str]:
    """Files in the learner's folder of the lab that are neither the lab's nor a notebook.

    Call after the lab's steps: some lay files of another lab.

    The first lab's folder is the workbook itself, with the folders of all labs: empty for it.
    """
    work = place.workspace.work(number)
    if work == place.workspace.workbook:
        return []
    own = {*_names(place.files / number), *place.laid}
    return [name for name in _names(work) if name not in own and not name.endswith(".ipynb")]


def _names(folder: Path) -> list[str]:
    """The paths of the files in a folder, but for hidden ones."""
    found = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return sorted(
        str(name)
        for name in found
        if not any(part.startswith(".") or part == "__pycache__" for part in name.parts)
    )


def _matching(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    found = {file for name in names for file in folder.glob(name)}
    return (file for file in sorted(found) if file.is_file())


@dataclass(frozen=True)
class Backup:
    """A folder that is made when the first file is kept in it."""

    folder: Path

    def keep(self, file: Path, name: Path) -> str:
        """Copy a file into the folder under a relative name; where it is now, in words."""
        copy = self.folder / name
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy2(file, copy)
        return f"kept in .labs/{self.folder.parent.name}/{self.folder.name}/"


def _copy(place: Place, file: Path, copy: Path, backup: Backup) -> None:
    content = place.workspace.own_names.in_file(file.read_bytes())
    changed = copy.exists() and copy.read_bytes() != content
    kept = backup.keep(copy, Path(copy.name)) if changed else ""
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, copy)
    copy.write_bytes(content)
    if changed:
        place.removed.append(f"your changes to the file {copy.name} ({kept})")


def _remove(place: Place, work: Path, file: Path, backup: Backup) -> None:
    if not file.exists():
        return
    name = file.relative_to(work)
    kept = backup.keep(file, name)
    file.unlink()
    place.removed.append(f"the file {name} ({kept})")
    folder = file.parent
    while folder != work and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
