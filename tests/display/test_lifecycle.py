"""The drawing of a lifecycle policy: every image, and the sentence above them."""

from typing import Any

from labs_helpers.display.lifecycle import explained
from tests.display.test_drawings import Words

DAY = 86_400.0
NOW = 1_800_000_000.0


def image(tag: str | None, days: float, why: str = "", **more: Any) -> dict[str, Any]:
    return {
        "digest": "sha256:" + "ab" * 32,
        "tags": [tag] if tag else [],
        "pushed_at": NOW - days * DAY,
        "size": 1_000_000,
        "storage": "STANDARD",
        "action": None,
        "rule": None,
        "why": why,
        **more,
    }


def test_every_image_has_its_fate() -> None:
    images = [
        image("v1", 30, action="expire", rule=1),
        image("v2", 15, action="archive", rule=2),
        image("v0", 10, "among the newest 5 of rule 3", storage="ARCHIVE"),
        image(None, 1, "no rule selects the image"),
    ]
    shown = explained("demo", {"now": NOW, "next_run": NOW + DAY, "images": images})
    sentence, blank, *lines = shown.text.splitlines()
    assert (sentence, blank) == (
        "Today the policy of demo takes 2 images of 4: 2MB of 4MB. "
        "ECR evaluates it again in 1 day.",
        "",
    )
    assert [line.split("─")[0].rstrip() for line in lines] == [
        "v1",
        "v2",
        "v0",
        "(no tag) abababababab",
    ]
    assert [line.count("─") for line in lines] == [30, 15, 10, 1]
    assert [line.split("─  ")[-1] for line in lines] == [
        "expires by rule 1  (pushed 30 days ago)",
        "goes to the archive by rule 2  (pushed 15 days ago)",
        "stays in the archive: among the newest 5 of rule 3  (pushed 10 days ago)",
        "stays: no rule selects the image  (pushed 1 day ago)",
    ]
    said = " ".join(Words(shown.html).found)
    missing = [word for word in shown.text.split() if word.strip("─()") not in said]
    assert missing == []


def test_what_there_is_nothing_of_is_said() -> None:
    assert explained("demo", {"now": NOW, "next_run": None, "images": []}).text == (
        "The repository demo holds no images."
    )
    without = explained("demo", {"now": NOW, "next_run": None, "images": [image("v1", 1, "x")]})
    assert without.text.startswith("The repository demo has no lifecycle policy")
    kept = explained("demo", {"now": NOW, "next_run": NOW, "images": [image("v1", 1, "x")]})
    assert kept.text.startswith("Today the policy of demo takes no image.")


def test_the_saving_is_of_the_bytes_that_expire() -> None:
    images = [
        image("v1", 30, action="expire", rule=1, size=200_000_000_000),
        image("v2", 15, action="archive", rule=2, size=500_000_000_000),
    ]
    found = {"now": NOW, "next_run": NOW + DAY, "images": images}
    said = explained("demo", found, 0.10).text.splitlines()[0]
    assert "700GB of 700GB. That saves up to 20.00 USD a month, at 0.10 USD a GB. ECR" in said


def test_a_saving_below_a_cent_is_no_zero() -> None:
    images = [image("v1", 30, action="expire", rule=1)]
    found = {"now": NOW, "next_run": NOW + DAY, "images": images}
    assert "That saves less than 0.01 USD a month" in explained("demo", found, 0.10).text


def test_an_archived_image_alone_saves_nothing_that_is_named() -> None:
    images = [image("v1", 30, action="archive", rule=1)]
    found = {"now": NOW, "next_run": NOW + DAY, "images": images}
    assert "saves" not in explained("demo", found, 0.10).text
