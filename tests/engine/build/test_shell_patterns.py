"""`${A#pattern}`, `${A%pattern}` and `${A/pattern/new}` in a Dockerfile."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labs_helpers.engine.build import BuildError
from labs_helpers.engine.build.expansion import expand

VALUES = {"P": "/usr/local/lib/x.tar.gz", "L": "one b\ntwo b", "S": "a*b"}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("${P#*/}", "usr/local/lib/x.tar.gz"),
        ("${P##*/}", "x.tar.gz"),
        ("${P%.*}", "/usr/local/lib/x.tar"),
        ("${P%%.*}", "/usr/local/lib/x"),
        ("${P%.?z}", "/usr/local/lib/x.tar"),
        ("${P#/usr}", "/local/lib/x.tar.gz"),
        ("${P#usr}", "/usr/local/lib/x.tar.gz"),
        ("${P##*nothing}", "/usr/local/lib/x.tar.gz"),
        (r"${P/l*l\//-}", "/usr/-lib/x.tar.gz"),
        (r"${P//\//:}", ":usr:local:lib:x.tar.gz"),
        ("${P//l?/_}", "/usr/_ca__b/x.tar.gz"),
        ("${P//*/all}", "all"),
        ("${L##*b}", "\ntwo b"),
        ("${L%%b*}", "one b\ntwo "),
        (r"${S/\*/+}", "a+b"),
        ("${NONE#x}", ""),
    ],
)
def test_an_expansion_is_buildkits(word: str, value: str) -> None:
    """Written from https://docs.docker.com/reference/dockerfile/#environment-replacement."""
    assert expand(word, VALUES, "\\", 1) == value


def test_an_escape_that_a_pattern_does_not_have_is_named() -> None:
    with pytest.raises(BuildError, match=r"invalid escape '\\x'"):
        expand(r"${P#\x}", VALUES, "\\", 1)


@pytest.mark.parametrize("form", ["${A#%s}", "${A##%s}", "${A%%%s}", "${A%%%%%s}", "${A/%s/x}"])
def test_a_pattern_of_many_stars_ends(form: str) -> None:
    """The system ends the program after 20 seconds of work; an expression of Python takes years."""
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "from labs_helpers.engine.build.expansion import expand\n"
        f"word = {form % ('*a' * 12 + 'b' + '*a' * 12)!r}\n"
        "values = {'A': 'a' * 20_000}\n"
        "print(expand(word, values, '\\\\', 1) == values['A'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "True\n"), ran.stderr
