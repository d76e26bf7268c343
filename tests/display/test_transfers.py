"""The progress and the result of a push or a pull, from messages that Docker sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.display.transfers import (
    Bars,
    NotAStream,
    Pace,
    Progress,
    follow,
    result,
)
from tests.display.test_drawings import Words, assert_html_says_as_much

NEW, ALSO_NEW, OLD = "5203e2da0823", "3b72819d4f51", "8fc78057787f"
DIGEST = "sha256:" + "ab" * 32
HEAD = {"status": "The push refers to repository [registry.example/demo]"}


def about(layer: str, status: str, current: int = 0, total: int = 0) -> dict[str, Any]:
    detail = {"current": current, "total": total} if current or total else {}
    return {"status": status, "progressDetail": detail, "id": layer}


PUSH: list[dict[str, Any]] = [
    HEAD,
    *(about(layer, "Preparing") for layer in (NEW, ALSO_NEW, OLD)),
    about(ALSO_NEW, "Waiting"),
    about(NEW, "Pushing", 1_000_000, 12_000_000),
    about(ALSO_NEW, "Pushing", 1024, 2048),
    about(OLD, "Layer already exists"),
    about(NEW, "Pushing", 12_000_000, 12_000_000),
    about(ALSO_NEW, "Pushed"),
    about(NEW, "Pushed"),
    {"status": f"latest: digest: {DIGEST} size: 1362"},
    {"progressDetail": {}, "aux": {"Tag": "latest", "Digest": DIGEST, "Size": 1362}},
]
PULL: list[dict[str, Any]] = [
    {"status": "Pulling from demo", "id": "1.0.0"},
    about(OLD, "Already exists"),
    about(NEW, "Pulling fs layer"),
    about(NEW, "Downloading", 10, 2048),
    about(NEW, "Verifying Checksum"),
    about(NEW, "Download complete"),
    about(NEW, "Extracting", 2048, 2048),
    {"status": "Extracting", "id": NEW, "progressDetail": {"current": 3, "units": "s"}},
    about(NEW, "Pull complete"),
    {"status": f"Digest: {DIGEST}"},
    {"status": "Status: Downloaded newer image for registry.example/demo:1.0.0"},
]


def test_a_push_is_its_layers_in_docker_s_order_and_the_digest() -> None:
    assert result(follow(PUSH)).text == (
        "The push refers to repository [registry.example/demo]\n"
        "layer           size\n"
        "------------  ------  --------------------\n"
        "5203e2da0823    12MB  Pushed\n"
        "3b72819d4f51  2.05kB  Pushed\n"
        "8fc78057787f          Layer already exists\n"
        f"latest: digest: {DIGEST} size: 1362\n"
        "2 of 3 layers sent; 1 was there already"
    )


def test_a_pull_is_drawn_the_same_way() -> None:
    assert result(follow(PULL)).text == (
        "1.0.0: Pulling from demo\n"
        "layer           size\n"
        "------------  ------  --------------\n"
        "8fc78057787f          Already exists\n"
        "5203e2da0823  2.05kB  Pull complete\n"
        f"Digest: {DIGEST}\n"
        "Status: Downloaded newer image for registry.example/demo:1.0.0\n"
        "1 of 2 layers fetched; 1 was there already"
    )


@pytest.mark.parametrize("messages", [PUSH, PULL], ids=["push", "pull"])
def test_the_html_says_no_less(messages: list[dict[str, Any]]) -> None:
    assert_html_says_as_much(result(follow(messages)))


@given(st.permutations(PUSH[4:11]))
def test_layers_in_any_order_give_one_text(messages: list[dict[str, Any]]) -> None:
    # each layer keeps its own order: progress, then its end
    ends = ("Pushed", "Layer already exists")
    ordered = sorted(messages, key=lambda message: message["status"] in ends)
    assert result(follow([*PUSH[:4], *ordered, *PUSH[11:]])).text == result(follow(PUSH)).text


def test_the_digest_is_there_to_be_used() -> None:
    watched = result(follow(PUSH))
    assert watched.digest == DIGEST
    assert repr(watched) == result(follow(PUSH)).text
    assert watched._repr_html_() == result(follow(PUSH)).html


def test_a_mounted_layer_was_not_sent() -> None:
    text = result(follow([HEAD, about(NEW, "Mounted from demo-base")])).text
    assert "Mounted from demo-base" in text
    assert text.endswith("0 of 1 layers sent; 1 was there already")


@pytest.mark.parametrize(
    "error",
    [
        {"errorDetail": {"message": "denied: no"}, "error": "denied: no"},
        {"errorDetail": {"code": 1, "message": "denied: no"}},
        {"error": "denied: no"},
        {"error": "denied: no", "errorDetail": None},
    ],
)
def test_an_error_ends_the_stream(error: dict[str, Any]) -> None:
    seen = follow([*PUSH[:9], error, about(OLD, "never read")])
    assert seen.error == "denied: no"
    assert seen.layers[OLD].status == "Layer already exists"


def test_what_an_error_leaves_says_nothing_that_differs_from_run_to_run() -> None:
    early = result(follow([*PUSH[:5], {"error": "denied"}])).text
    late = result(follow([*PUSH[:7], {"error": "denied"}])).text
    assert early == late
    assert "5203e2da0823        not finished" in early
    assert "layers sent" not in early


def test_an_unknown_status_is_kept_and_is_no_end() -> None:
    seen = follow([HEAD, about(NEW, "Retrying in 5 seconds"), about(NEW, "")])
    assert seen.layers[NEW].status == "Retrying in 5 seconds"
    assert not seen.layers[NEW].done
    assert "not finished" in result(seen).text


def test_more_than_all_is_all() -> None:
    # dockerd counts the padding of the tar
    seen = follow([about(NEW, "Pushing", 3584, 2048)])
    assert seen.layers[NEW].percent == 100


def test_an_empty_stream_is_empty() -> None:
    assert result(follow([])).text == ""


@pytest.mark.parametrize("given_instead", ['{"status": "x"}\r\n', b"{}", ["{}"], [b"{}"]])
def test_what_is_no_stream_of_messages_is_told_what_one_is(given_instead: Any) -> None:
    with pytest.raises(NotAStream, match="stream=True, decode=True"):
        follow(given_instead)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["status", "id", "error", "stream", "aux"]), st.text() | st.none()
        )
    )
)
def test_any_text_is_drawn(messages: list[dict[str, Any]]) -> None:
    seen = follow(messages)
    assert isinstance(result(seen).html, str)


def test_a_name_cannot_become_html() -> None:
    html = result(follow([{"status": "<script>"}, about(NEW, "Mounted from <b>")])).html
    assert "<script>" not in html
    assert "Mounted from &lt;b&gt;" in html


def rows(bars: Bars) -> list[tuple[str, int, str]]:
    """Label, value and words of each bar."""
    found = []
    for row in bars.box.children[1:]:
        label, bar, status = row.children
        found.append((Words(label.value).found[0], bar.value, status.value))
    return found


def test_bars_follow_each_layer_in_words_and_length() -> None:
    bars, progress = Bars(), Progress()
    for message in PUSH[:8]:
        bars.update(progress, progress.take(message))
    assert rows(bars) == [
        (NEW, 8, "Pushing 8 % of 12MB"),
        (ALSO_NEW, 50, "Pushing 50 % of 2.05kB"),
        (OLD, 0, "Layer already exists"),
    ]
    assert "registry.example/demo" in bars.box.children[0].value


def test_bars_are_full_when_what_they_stand_for_is_sent() -> None:
    bars = Bars()
    follow(PUSH, bars.update)
    assert [value for _, value, _ in rows(bars)] == [100, 100, 0]


def test_bars_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    follow(PUSH, Bars().update)
    assert capsys.readouterr() == ("", "")


class Time:
    """A clock that only sleeping advances; it records every sleep."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


def test_bars_go_no_faster_than_the_line() -> None:
    time = Time()
    follow(PUSH, Bars(Pace(8, lambda: time.now, time.sleep)).update)
    # 1 MB, then 1 kB, then 11 MB more, at a megabyte a second
    assert time.slept == [1.0, 0.001, 11.0]


def test_what_is_slower_than_the_line_is_not_held_back() -> None:
    time = Time()
    pace = Pace(8, lambda: time.now, time.sleep)
    pace.wait(Progress())
    time.now += 60
    pace.wait(follow(PUSH))
    assert time.slept == []
