"""The symbolic links of a copied source: none of them leads to a file of the author.

A link that leads to a file or folder of the source leads to its copy. A link that leads out of the
source leads nowhere, because CodeBuild has the source alone; no page that we found says what
CodeBuild makes of links. Such a link cannot keep its target here: a command that writes through the
link would change a file that is not the build's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

NOWHERE = "not-in-the-source"
"""A name beside the copy that nothing has: where a link leads that left the source."""
_MOST_LINES = 20


def keep_within(source: Path, copied: Path) -> list[str]:
    """Change the links of a copy that lead out of the copy; return a line on each change.

    source: what was copied, with its links as they were. A relative link that stays inside the
    source on its whole way is kept. Raises OSError where a link cannot be replaced.
    """
    real = Path(os.path.realpath(source))
    lines = []
    for link in _links(copied):
        name = link.relative_to(copied)
        before = link.readlink()
        parent = real / name.parent
        if not before.is_absolute() and _stays(parent, before, real):
            continue
        target = Path(os.path.realpath(real / name))
        if target.is_relative_to(real):
            after = os.path.relpath(target, parent)
            lines.append(f"{name}: the link to {before} is a link to {after} in the build's copy")
        else:
            after = str(copied.parent / NOWHERE / name.name)
            lines.append(
                f"{name}: the link to {before} leads out of the source, and leads nowhere in the "
                "build: CodeBuild has the source alone. Copy what the build needs into the source"
            )
        _replace(link, after)
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"{len(lines) - _MOST_LINES} more links were changed like these"]
    return lines


def _links(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder, onerror=_unreadable):
        for name in sorted((*folders, *files)):
            path = Path(root, name)
            if path.is_symlink():
                yield path


def _unreadable(error: OSError) -> None:
    """A folder of the copy that cannot be read may hold a link that leads out."""
    raise error


def _stays(parent: Path, target: Path, source: Path) -> bool:
    """Whether each step of a relative target, taken from a real folder, is inside the source."""
    place = parent
    for part in target.parts:
        place = Path(os.path.realpath(place / part))
        if not place.is_relative_to(source):
            return False
    return True


def _replace(link: Path, target: str) -> None:
    """Point a link elsewhere, in a folder that may be read-only."""
    folder = link.parent
    mode = stat.S_IMODE(folder.stat().st_mode)
    folder.chmod(mode | stat.S_IRWXU)
    try:
        link.unlink()
        link.symlink_to(target)
    finally:
        folder.chmod(mode)
