"""The patterns of a .dockerignore: which paths Docker leaves out, and how much work that is."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from e2b_dockerfile_utils import PatternMatcher

from labs_helpers.engine.glob import BadPattern
from labs_helpers.engine.ignore import IgnorePatterns

LEFT_OUT = [
    ("*.pyc", "app.pyc"),
    ("node_modules", "node_modules/left/index.js"),
    ("/build/", "build/out"),
    ("./build", "build"),
    ("**", "deep/down/here"),
    ("**/*.log", "top.log"),
    ("**/*.log", "a/b/deep.log"),
    ("**/.git", "vendor/lib/.git/config"),
    ("src/**", "src/a/b"),
    ("src/**/test_?.py", "src/test_1.py"),
    ("src/**/test_?.py", "src/a/b/test_2.py"),
    ("[a-c]*.txt", "bill.txt"),
    ("[^a]b", "cb"),
    (r"\*.md", "*.md"),
    ("a.(b)+{c}$", "a.(b)+{c}$"),
]
KEPT = [
    ("*.pyc", "deep/app.pyc"),
    ("src/**", "src"),
    ("**/.git", "my.git"),
    ("a?c", "a/c"),
    ("a*c", "a/c"),
    ("a.c", "abc"),
    ("[a-c]*.txt", "dave.txt"),
    (r"\*.md", "x.md"),
    ("#no", "no"),
]
"""As https://docs.docker.com/build/concepts/context/#syntax says."""
HOSTILE = "**/" + "*a" * 30 + "b"


@pytest.mark.parametrize(("pattern", "path"), LEFT_OUT)
def test_a_path_that_fits_is_left_out(pattern: str, path: str) -> None:
    assert IgnorePatterns([pattern]).leaves_out(path)


@pytest.mark.parametrize(("pattern", "path"), KEPT)
def test_a_path_that_does_not_fit_is_kept(pattern: str, path: str) -> None:
    assert not IgnorePatterns([pattern]).leaves_out(path)


def test_the_last_pattern_that_fits_decides() -> None:
    some = IgnorePatterns(["docs", "!docs/README.md", "docs/README.md.bak"])
    assert some.leaves_out("docs/guide.md")
    assert not some.leaves_out("docs/README.md")
    assert some.may_take_back_below("docs")
    assert not some.may_take_back_below("src")
    again = IgnorePatterns(["!keep.log", "*.log"])
    assert again.leaves_out("keep.log")


@pytest.mark.parametrize("pattern", ["[", "[^", "a[", "[]a]", "[x-]", "[-x]", "\\", "!", "! "])
def test_a_pattern_that_is_none_is_named(pattern: str) -> None:
    with pytest.raises(BadPattern) as refused:
        IgnorePatterns(["good", pattern])
    assert pattern.strip() in str(refused.value)


def test_random_patterns_find_what_the_port_of_dockers_matcher_finds() -> None:
    chance = random.Random(20261128)
    parts = ["a", "b", "*", "**", "/", "?", "**/", "/**", ".", "[ab]", "[^a]", r"\*", "]", "^", "$"]
    for _ in range(2000):
        patterns = [
            chance.choice(["", "", "!"]) + "".join(chance.choices(parts, k=chance.randrange(1, 6)))
            for _ in range(3)
        ]
        try:
            port = PatternMatcher(patterns)
        except ValueError:
            with pytest.raises(BadPattern):
                IgnorePatterns(patterns)
            continue
        ours = IgnorePatterns(patterns)
        for _ in range(4):
            names = ["".join(chance.choices("ab.]*$^", k=2)) for _ in range(chance.randrange(1, 4))]
            path = "/".join(names)
            assert ours.leaves_out(path) == port.matches(path), (patterns, path)
            below = ours.may_take_back_below(path)
            assert below == port.may_match_under(path), (patterns, path)


def test_a_path_of_two_thousand_folders_is_decided_on() -> None:
    assert IgnorePatterns(["a/a/a"]).leaves_out("a/" * 2000 + "b")


def test_a_pattern_of_many_stars_ends() -> None:
    """The system ends the program after 20 seconds of work; an expression of Python takes years.
    Reported as D11.
    """
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "from labs_helpers.engine.ignore import IgnorePatterns\n"
        f"found = IgnorePatterns([{HOSTILE!r}, {'**/*' * 30 + 'b'!r}])\n"
        "print(found.leaves_out('a' * 4000), found.leaves_out('a/' * 100 + 'a' * 200))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.split()) == (0, ["False", "False"]), ran.stderr
