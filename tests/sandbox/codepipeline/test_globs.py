"""Globs of the filters of triggers.

The rows are those of https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html,
and for sets of characters and groups those of the page whose rules AWS repeats:
https://docs.oracle.com/javase/8/docs/api/java/nio/file/FileSystem.html
"""

from __future__ import annotations

import pytest

from labs_helpers.sandbox.codepipeline import globs

FITS = [
    ("*.java", ["A.java", ".java"], ["A.javac", "d/A.java"]),
    ("*.*", ["a.b", "."], ["ab", "d/a.b"]),
    ("*.{java,class}", ["x.java", "x.class"], ["x.cla", "x.", "x.java,class"]),
    ("foo.?", ["foo.x"], ["foo.", "foo.xy", "foo./"]),
    ("my-file.jar", ["my-file.jar"], ["d/my-file.jar", "my-file.jar2"]),
    ("directory/my-file.jar", ["directory/my-file.jar"], ["my-file.jar", "directory/d/f"]),
    ("**", ["a", "d/e/f", ""], []),
    ("**/*", ["a", "d/e/f", ".hidden"], []),
    ("directory/**/*", ["directory/f", "directory/a/b/f"], ["directory", "other/f"]),
    ("directory/**", ["directory/f", "directory/a/b/f"], ["directory", "directory2/f"]),
    ("directory/*", ["directory/f"], ["directory/a/f", "directory"]),
    ("**/README.md", ["README.md", "a/README.md", "a/b/README.md"], ["XREADME.md", "README.md/x"]),
    ("common/**/*.js", ["common/app.js", "common/a/b/app.js"], ["common.js", "common/app.jsx"]),
    ("feature/**", ["feature/a", "feature/a/b"], ["feature", "features/a"]),
    ("feature/*", ["feature/a"], ["feature/a/b"]),
    ("[b-d]x", ["bx", "cx", "dx"], ["ax", "ex", "Bx", "/x"]),
    ("[!b-d]x", ["ax", "ex", "\u4e00x"], ["bx", "dx", "/x"]),
    ("?[\u4e00-\u4e02]", ["a\u4e00", "\u4e02\u4e02"], ["a\u4e03", "/\u4e00", "a\u4dff"]),
    ("release-v?", ["release-v1"], ["release-v10"]),
    ("a**b", ["ab", "a/x/b"], ["a/x/c"]),
    ("[a-c]x", ["ax", "cx"], ["dx", "x"]),
    ("[abc.]x", [".x"], ["dx"]),
    ("[!a-c]x", ["dx"], ["ax", "/x"]),
    ("[*?\\]", ["*", "?", "\\"], ["a"]),
    ("[-a]", ["-", "a"], ["b"]),
    ("[!-a]", ["b"], ["-", "a"]),
    ("[a-]", ["a", "-"], ["b"]),
    ("[]a]", ["]", "a"], ["b"]),
    ("\\*.\\{a\\}", ["*.{a}"], ["x.a"]),
    ("{a,b/**}/{c,d*}", ["a/c", "a/dd", "b/x/y/c"], ["a/e", "b/c"]),
    ("{,x}y", ["y", "xy"], ["x"]),
    ("ü?", ["ü\N{GRINNING FACE}"], ["u?"]),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "fitting", "others"), FITS, ids=[row[0] for row in FITS])
def test_a_pattern_fits_the_whole_text(pattern: str, fitting: list[str], others: list[str]) -> None:
    assert [text for text in (*fitting, *others) if globs.matches(pattern, text)] == fitting


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[a", "[ has no ]"),
        ("[", "[ has no ]"),
        ("[!", "[ has no ]"),
        ("[a-", "[ has no ]"),
        ("[z-a]", "the range z-a goes down"),
        ("{a,b", "{ has no }"),
        ("{", "{ has no }"),
        ("{a,{b}}", "a { } stands in a { }"),
        ("{a\\", "\\ stands at the end"),
        ("a\\", "\\ stands at the end"),
    ],
)
def test_what_is_no_pattern_says_why(pattern: str, why: str) -> None:
    with pytest.raises(globs.BadGlob) as caught:
        globs.check(pattern)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a*" * 127 + "b", "a" * 4096),
        ("**/" * 85, "a/" * 2048),
        ("{,*}" * 60 + "b", "a" * 4096),
        ("**{a,b}" * 36, "ab" * 2048),
        ("[a-z]*" * 42 + "!", "a" * 4096),
    ],
)
def test_no_pattern_takes_more_steps_than_the_text_has_characters(
    pattern: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pattern of the most characters that AWS takes, and a path as long as Linux has."""
    steps = 0
    step = globs._Automaton._step

    def counted(made: globs._Automaton, states: int, character: str) -> int:
        nonlocal steps
        steps += 1
        return step(made, states, character)

    monkeypatch.setattr(globs._Automaton, "_step", counted)
    globs.matches(pattern, text)
    assert 0 < steps <= len(text)
    assert len(globs._compiled(pattern).arcs) < 4 * 255


def test_characters_that_a_pattern_does_not_name_are_one_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pattern, first = "**?" * 80 + "**Z", "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    assert not globs.matches(pattern, first)
    monkeypatch.setattr(globs._Automaton, "_step", None)  # each step is known by now
    assert not globs.matches(pattern, "".join(map(chr, range(0x5000, 0x5000 + 300))))
