"""Are the sentences of labs_helpers/engine/wording in the files that the tables name?

    python -m tests.engine.wording_sources FOLDER

FOLDER has clones of the programs' repositories, as ``moby+moby/repo`` or ``moby/moby``. Each file
is read at the version of its table; to follow a newer version, change ``version`` in the table and
run again. Prints each row without a string of the file that has its words; the exit status is 1
then. A value may stand for a word, and the name ``docker`` for the value of a template. No test
runs this: the clones are a gigabyte.
"""

from __future__ import annotations

import re
import subprocess
import sys
from difflib import SequenceMatcher
from pathlib import Path

from tests.engine.sentences import OURS, TABLES, table

_STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"|`([^`]*)`')
_VALUE = re.compile(r"%(?:\[\d+\])?[-+ #0]*\d*(?:\.\d+)?[vsdTtxXwqcfgUu]|\{\{.*?\}\}")
_LEAST = 10
"""Letters that a string needs to prove anything."""


def strings(source: str) -> list[list[str]]:
    """The strings of a Go file, each as the texts between its values."""
    found = []
    for match in _STRING.finditer(source):
        text = match[1] if match[2] is None else match[2]
        text = text.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "\n")
        found.append(_pieces(_VALUE.sub("{}", text)))
    return found


def says(string: list[str], sentence: str) -> bool:
    """Whether the texts of a string and the sentence have the same words, but for values."""
    spoken, words = _pieces(sentence), " ".join(string)
    common = SequenceMatcher(None, words, " ".join(spoken), autojunk=False)
    return (
        (len(words) >= _LEAST and " " in words and _follow(string, " ".join(sentence.split())))
        or _follow(spoken, "{}".join(string))
        or _follow(_pieces(sentence.replace("docker", "{}")), "{}".join(string))
        or 2 * common.find_longest_match().size > len(" ".join(spoken))
    )


def _pieces(text: str) -> list[str]:
    text = " ".join(text.split())
    return [piece for part in text.split("{}") if (piece := part.strip(" :'\"\n"))]


def _follow(pieces: list[str], text: str) -> bool:
    place = 0
    for piece in pieces:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True


def main(folder: Path) -> int:
    """Print each row whose file does not have its words; return the exit status."""
    failed = 0
    for path in sorted(TABLES.glob("*.toml")):
        found = table(path.stem)
        owner_name = found.get("repository", "").removeprefix("https://github.com/")
        places = [folder / owner_name.replace("/", "+") / "repo", folder / owner_name]
        clone = next((each for each in places if each.is_dir()), None)
        if path.stem == OURS or clone is None:
            sys.stdout.write(f"{path.stem}: not looked up\n")
            continue
        for file, sentences in found["sentences"].items():
            command = ["git", "-C", str(clone), "show", f"{found['version']}:{file}"]
            source = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            known = strings(source)
            for sentence in sentences:
                if not any(says(pieces, sentence) for pieces in known):
                    failed += 1
                    sys.stdout.write(f"{path.stem}: {file}: {sentence}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
