"""The shell of the lessons runs on macOS, too: no option that only GNU's programs have.

macOS has the programs of BSD and a bash of 2007 (3.2). None of its systems is here to try, so each
cell, each fenced block and each script is read for the forms that fail there:
https://man.freebsd.org/cgi/man.cgi?query=sed and, for what POSIX has,
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/contents.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
_FENCE = re.compile(r"^```(?:bash|sh|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_WORD = r"(?:^|[|;&(`!]|\$\(|\b(?:then|do|else|if|until|while|xargs|exec)\b)\s*"
"""Where a command begins."""

GNU_ONLY = {
    "sed -i wants a suffix, as in sed -i.bak": r"sed\b[^|;\n]*?\s-i(?:\s|$)",
    "sed -E, not -r": r"sed\s+(?:-\w+\s+)*-\w*r\b",
    "sed has no \\+, \\? and \\| without -E": r"sed\b(?![^\n]*\s-E)[^\n]*\\[+?|]",
    "sed writes no new line for \\n": r"sed\b[^\n]*s([/|#,])(?:(?!\1).)*\1(?:(?!\1).)*\\n",
    "sed's a, i and c want a new line": r"sed\b[^\n]*?'[^'sy]*[aic]\s+\w[^'\n]*'",
    "date has no -d and no --date": r"date\b[^|;)\n]*\s(?:-d|--\w)",
    "date has no nanoseconds": r"date\b[^|;)\n]*%N",
    "base64 has no -w and no -i": r"base64\s+(?:-\w*[wi]|--wrap)",
    "stat has no -c": r"stat\s+(?:-\w*c|--\w)",
    "grep has no -P": r"e?grep\b[^|;\n]*\s-\w*P",
    "xargs has no -d and no --": r"xargs\s+(?:-\w*d|--\w)",
    "head has no negative number": r"head\s+-(?:n|c)\s*-",
    "find wants a folder first": r"find\s+-",
    "find has no -printf": r"find\b[^|;\n]*\s-printf",
    "touch, cp, mv, ls, du and tar have no long options": (
        r"(?:touch|cp|mv|ls|du|rm|ln|mkdir|mktemp|sort|tail|cut|tr|wc)\s[^|;\n]*\s?--\w"
    ),
    "touch has another -d": r"touch\s+-d\s",
    "not a command of macOS": (
        r"(?:timeout|tac|shuf|nproc|free|ss|ip|getent|md5sum|sha256sum|sha1sum|readlink\s+-f"
        r"|realpath|rev\s+-|numfmt|lsb_release|systemctl|apt|apt-get|pidof)(?:\s|$)"
    ),
    "bash 3.2 has no mapfile, and no arrays by name": r"(?:mapfile|readarray|declare\s+-A)\b",
}
"""What to write instead -> what a command looks like that fails on macOS."""
IN_BASH = {"bash 3.2 changes no case": r"\$\{\w+(?:,,?|\^\^?)[^}]*\}", "bash 3.2 has no &>>": "&>>"}


def faults(shell: str) -> list[str]:
    """The lines of a script that fail on macOS, each with what to write."""
    found = []
    for line in shell.splitlines():
        for advice, form in GNU_ONLY.items():
            if re.search(_WORD + f"(?:{form})", line):
                found.append(f"{advice}: {line.strip()}")
        found += [
            f"{advice}: {line.strip()}" for advice, form in IN_BASH.items() if re.search(form, line)
        ]
    return found


def scripts() -> Iterator[tuple[str, str]]:
    """(place, shell) of every cell, fenced block and script of the lessons."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            place = f"{path.name}, {cell['id']}"
            if cell["cell_type"] == "markdown":
                yield from ((place, block) for block in _FENCE.findall(source))
            elif source.startswith(("%%bash", "%%sh")) or "%%writefile" in source:
                yield place, source
            else:
                yield place, "\n".join(re.findall(r"^\s*!(.*)", source, re.MULTILINE))
    for path in sorted((NOTEBOOKS / "files").rglob("*")):
        if path.suffix in (".sh", ".yml") or path.name.startswith("Makefile"):
            yield str(path.relative_to(NOTEBOOKS)), path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "fails"),
    [
        ("sed -i 's/a/b/' f", True),
        ("grep -q x f || sed -i 's/a/b/' f", True),
        ("sed -n -i -e s/a/b/ f", True),
        ("sed -i.bak 's/a/b/' f", False),
        ("cat f | sed -E 's/a+/b/'", False),
        ("sed 's/a\\+/b/' f", True),
        ("sed 's/,/\\n/g' f", True),
        ("sed '/x/a more' f", True),
        ("echo $(date -d yesterday)", True),
        ("echo $(date +%s)", False),
        ("echo x | base64 -w0", True),
        ("echo x | base64 -d", False),
        ("for i in $(seq 3); do echo $i; done", False),
        ("echo 'the date -d of GNU'", False),
        ("size=$(stat -c %s f)", True),
        ("ls *.json | xargs -d '\\n' cat", True),
        ("head -n -1 f", True),
        ("tail -n +2 f | head -n 1", False),
        ("aws s3 ls --profile workshop", False),
        ("docker cp --archive x:/a b", False),
        ("ls --sort=size", True),
        ("echo ${name,,}", True),
        ("echo ${name:-x}", False),
        ("timeout 5 aws s3 ls", True),
        ("aws iam get-role --query 'Role.Arn' | sed -e 's/x/y/'", False),
    ],
)
def test_a_form_of_gnu_is_known_when_it_is_read(line: str, fails: bool) -> None:
    assert bool(faults(line)) == fails, faults(line)


def test_the_lessons_shell_has_no_form_that_only_gnu_has() -> None:
    read = list(scripts())
    assert len(read) > 300
    assert [f"{place}: {fault}" for place, shell in read for fault in faults(shell)] == []
