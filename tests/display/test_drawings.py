"""Each drawing has the same text everywhere, and its HTML says as much as its text."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.display.bars import bars, layers, size
from labs_helpers.display.card import Setting, card
from labs_helpers.display.lesson import Choice, Question, differences, form
from labs_helpers.display.registry import Token, readable, token, trace
from labs_helpers.display.rendering import Rendering, columns, duration, relative, table

REGISTRY = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
SANDBOX = Setting("sandbox", "123456789012", "us-west-2", REGISTRY, "the labs' own")
DIGEST = "sha256:" + "ab" * 32


class Words(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.found += data.split()


def assert_html_says_as_much(shown: Rendering) -> None:
    said = " ".join(Words(shown.html).found)
    missing = [word for word in shown.text.split() if word.strip("-█") and word not in said]
    assert missing == []


def test_a_card_in_the_sandbox() -> None:
    shown = card("lab 05 · Log in", SANDBOX, ["repository demo-app-repo exists, empty", "no login"])
    assert repr(shown) == (
        "SANDBOX · lab 05 · Log in\n"
        "  account   123456789012\n"
        "  region    us-west-2\n"
        f"  registry  {REGISTRY}\n"
        "  engine    the labs' own\n"
        "  ready     repository demo-app-repo exists, empty\n"
        "            no login"
    )
    assert_html_says_as_much(shown)


def test_a_card_names_what_was_removed_and_what_else_to_know() -> None:
    gone = ["user labs-ci", "bucket <b> with 1 file"]
    shown = card("lab 05", SANDBOX, ["a repository"], removed=gone, notes=["it stopped"])
    assert shown.text.endswith(
        "ready     a repository\n"
        "  removed   to make this beginning:\n"
        "            user labs-ci\n"
        "            bucket <b> with 1 file\n"
        "  note      it stopped"
    )
    for said in ("removed", "to make this beginning:", "bucket &lt;b&gt; with 1 file", "note"):
        assert f">{said}<" in shown.html
    assert "removed" not in card("lab 05", SANDBOX, ["a repository"]).html


def test_a_card_on_aws_says_that_it_is_real_in_words_and_in_red() -> None:
    on_aws = Setting("aws", "998877665544", "us-west-2", REGISTRY, "your Docker")
    shown = card("lab 05", on_aws, ["a repository"], "needs")
    assert "REAL AWS" in shown.text
    assert "998877665544  (real" in shown.text
    assert "needs     a repository" in shown.text
    assert "--jp-error-color1" in shown.html
    assert "--jp-error-color1" not in card("lab 05", SANDBOX, []).html


@given(st.lists(st.tuples(st.text(), st.text())))
def test_columns_take_any_text(rows: list[tuple[str, str]]) -> None:
    assert isinstance(columns(rows), str)


def test_a_table_lines_numbers_up_on_the_right() -> None:
    shown = table(["name", "size"], [["a", "10"], ["long", "9"]], right=[1])
    assert shown.text == "name  size\n----  ----\na       10\nlong     9"
    assert_html_says_as_much(shown)


@pytest.mark.parametrize(
    ("count", "written"),
    [(0, "0B"), (999, "999B"), (1000, "1kB"), (10_240, "10.2kB"), (52_428_800, "52.4MB")],
)
def test_sizes_are_written_as_docker_does(count: int, written: str) -> None:
    assert size(count) == written


def test_bars_are_in_proportion_and_nothing_has_none() -> None:
    shown = bars([("a", 100, "100B"), ("b", 50, "50B"), ("c", 0, "0B"), ("d", 0.001, "1B")])
    assert [line.count("█") for line in shown.text.splitlines()] == [40, 20, 0, 1]
    assert_html_says_as_much(shown)


def test_layers_show_the_instruction_and_not_the_shell() -> None:
    shown = layers(
        [
            {"CreatedBy": '/bin/sh -c #(nop)  CMD ["nginx"]', "Size": 0},
            {"CreatedBy": "/bin/sh -c #(nop) COPY file:1 in / ", "Size": 2048},
        ]
    )
    assert [line.split("  ")[0] for line in shown.text.splitlines()] == [
        'CMD ["nginx"]',
        "COPY file:1 in /",
    ]


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(hours=12), "12 hours"),
        (timedelta(hours=11, minutes=59, seconds=59.8), "12 hours"),
        (timedelta(hours=25, minutes=1), "1 day 1 hour 1 minute"),
        (timedelta(seconds=3), "less than a minute"),
    ],
)
def test_durations_are_rounded_to_the_minute(length: timedelta, words: str) -> None:
    assert duration(length) == words


def test_what_is_over_is_ago() -> None:
    assert relative(timedelta(hours=-1)) == "1 hour ago"
    assert relative(timedelta(hours=1)) == "in 1 hour"


def test_a_token_is_shown_without_its_secret() -> None:
    owner = "arn:aws:iam::123456789012:user/learner"
    shown = token(Token("AWS", owner, timedelta(hours=12), f"https://{REGISTRY}", "us-west-2"))
    assert "ends       in 12 hours" in shown.text
    assert owner in shown.text
    assert_html_says_as_much(shown)


def test_a_trace_has_no_upload_id_and_short_digests() -> None:
    upload = "/v2/demo/blobs/uploads/1c9f0e6a-7777-4444-8888-aaaabbbbcccc"
    shown = trace(
        [
            {"method": "HEAD", "path": f"/v2/demo/blobs/{DIGEST}", "status": 404},
            {"method": "PUT", "path": f"{upload}?_state=xyz&digest={DIGEST}", "status": 201},
        ]
    )
    assert "HEAD    /v2/demo/blobs/sha256:abababababab" in shown.text
    assert "PUT     /v2/demo/blobs/uploads/<upload>?digest=sha256:abababababab" in shown.text
    assert_html_says_as_much(shown)


def test_an_encoded_digest_is_read_too() -> None:
    assert readable(f"/v2/x?digest={DIGEST.replace(':', '%3A')}") == (
        "/v2/x?digest=sha256:abababababab"
    )


def test_differences_name_their_source() -> None:
    shown = differences([("here it is", "there it is", "https://docs.aws.amazon.com/x")])
    assert "source  https://docs.aws.amazon.com/x" in shown.text
    assert 'href="https://docs.aws.amazon.com/x"' in shown.html
    assert "Nothing in this lab" in differences([]).text


CHOICES = {"a": Choice("one", "no: x"), "b": Choice("two <b>", "yes: y")}
QUESTION = Question("05.q1", "Which?", "b", CHOICES)
PREDICTION = Question("05.p1", "What comes?", "b", CHOICES, shown_by="05-07")


def test_a_question_is_complete_as_text() -> None:
    assert form(QUESTION).text == (
        'Which?\n  a)  one\n  b)  two <b>\nanswer with  lab.quiz("05.q1", "a")'
    )
    assert form(QUESTION, "b").text.endswith("\nyou answered b")
    assert form(PREDICTION).text.endswith('answer with  lab.predict("05.p1", "a")')


def test_an_answer_of_a_quiz_says_why() -> None:
    assert QUESTION.judged("a").text == "✗ not this one: a) one\n  no: x"
    assert QUESTION.judged("b").text == "✓ right: b) two <b>\n  yes: y"
    assert QUESTION.key(" B ") == "b"
    assert QUESTION.key("z") is None
    assert QUESTION.unknown().text == (
        '05.q1: choose one of a, b, in quotes, as in  lab.quiz("05.q1", "a")'
    )
    assert [QUESTION.key(one) for one in (1, 3.5, ["a"], b"a", "c", " A ")] == [None] * 5 + ["a"]


def test_a_prediction_is_judged_as_what_it_is() -> None:
    assert (
        PREDICTION.judged("a").text
        == "You predicted a) one: ✗ the lesson shows something else\n  no: x"
    )
    assert (
        PREDICTION.judged("b").text == "You predicted b) two <b>: ✓ as the lesson shows\n  yes: y"
    )
    assert PREDICTION.kept("a").text.startswith("Kept: a) one.")


class Choices(HTMLParser):
    """The choices of a form: what is read before each is opened, and what stands inside."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.summaries: list[str] = []
        self.inside: list[str] = []
        self._into: list[str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "summary":
            self._into = self.summaries
            self.summaries.append("")
        elif tag == "details":
            self.inside.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "summary":
            self._into = self.inside
        elif tag == "details":
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data


def test_a_choice_opens_without_a_kernel_and_says_why() -> None:
    found = Choices(form(QUESTION).html)
    assert found.summaries == ["a) one", "b) two <b>"]
    assert ["no: x" in found.inside[0], "yes: y" in found.inside[1]] == [True, True]


def test_a_prediction_gives_nothing_away() -> None:
    html = form(PREDICTION).html
    assert "no: x" not in html
    assert "yes: y" not in html
    assert "lab.predict(&quot;05.p1&quot;, &quot;b&quot;)" in html


def test_a_card_tells_of_the_snapshot_before_what_was_removed() -> None:
    shown = card("lab 05", SANDBOX, ["a repository"], removed=["bucket b"], snapshot="kept: do x")
    lines = shown.text.splitlines()
    assert "  snapshot  kept: do x" in lines
    assert lines.index("  snapshot  kept: do x") < lines.index("  ready     a repository")
    assert "kept: do x" in shown.html
