"""A hint's Markdown, drawn."""

from labs_helpers.curriculum import LABS
from labs_helpers.display.prose import prose
from labs_helpers.labs.exercises import exercises
from labs_helpers.workspace import Workspace


def test_a_command_that_a_line_of_the_source_breaks_is_whole() -> None:
    drawn = prose("First: `aws ecs list-tasks\n--query 'a[]'` lists `<them>`.\n\nThen $HOME.")
    assert drawn.text == "First: aws ecs list-tasks --query 'a[]' lists <them>.\n\nThen $HOME."
    assert drawn.html == (
        "<p>First: <code>aws ecs list-tasks --query &#x27;a[]&#x27;</code> lists "
        "<code>&lt;them&gt;</code>.</p><p>Then <span>$</span>HOME.</p>"
    )


def test_bold_words_and_links() -> None:
    drawn = prose("**Two** [actions](https://example.com/a?b=1&c=2).")
    assert drawn.text == "Two actions (https://example.com/a?b=1&c=2)."
    assert drawn.html == (
        '<p><b>Two</b> <a href="https://example.com/a?b=1&amp;c=2" target="_blank">actions</a>.</p>'
    )


def test_a_block_of_code_keeps_its_lines() -> None:
    drawn = prose("Run\n\n```bash\na `b`\n  c\n```\n\nand look.")
    assert drawn.text == "Run\n\na `b`\n  c\n\nand look."
    assert drawn.html == "<p>Run</p><pre>a `b`\n  c\n</pre><p>and look.</p>"


def test_no_hint_shows_marks_of_markdown() -> None:
    for entry in LABS.values():
        for one in exercises(Workspace.find().notebooks / entry.notebook).values():
            for hint in one.hints:
                shown = prose(hint)
                code_left_out = shown.html.replace("<pre>", "<code>").split("<code>")
                told = [part.rpartition("</code>")[2] for part in code_left_out]
                assert not [each for each in told if "`" in each or "**" in each], hint
