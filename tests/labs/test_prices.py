"""Every price has its date and its source, and every amount in a lab follows from the file."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from labs_helpers.curriculum import LABS
from labs_helpers.prepare.prices import TASK_GB, TASK_VCPU

PROJECT = Path(__file__).parents[2]
FILE = json.loads((PROJECT / "notebooks/files/03/prices.json").read_text("utf-8"))
PRICES = {str(one["name"]): float(one["price"]) for one in FILE["prices"]}
HOURS = 730
"""A month, as lab 14 counts."""

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?) USD")


def ecr(people: int, images: int) -> float:
    """What lab 03 computes: images of 0.1 GB, and 2 GB pulled by each person."""
    return images * 0.1 * PRICES["ecr_storage"] + people * 2 * PRICES["ecr_transfer_out"]


SEAT = PRICES["docker_team_seat"]
ADDRESS = HOURS * PRICES["public_ipv4_hour"]
TASK = HOURS * (TASK_VCPU * PRICES["fargate_vcpu_hour"] + TASK_GB * PRICES["fargate_gb_hour"])
SAID = {
    "03": {
        f"{SEAT:.0f}": "a seat",
        f"{2 * SEAT:.0f}": "two seats",
        f"{10 * SEAT:.0f}": "ten seats",
        f"{ecr(2, 100):.2f}": "two people",
        f"{ecr(10, 100):.2f}": "ten people",
        f"{2 * PRICES['ecr_transfer_out']:.2f}": "2 GB pulled",
    },
    "04": {
        f"{50 * 30 * 0.2 * PRICES['ecr_storage']:.0f}": "fifty images a day of 0.2 GB for a month",
        "1": "a key of KMS for a month, which the file does not have",
    },
    "14": {
        f"{PRICES['ecr_storage']:.2f}": "a GB kept for a month",
        f"{PRICES['ecr_transfer_out']:.2f}": "a GB that leaves AWS",
        f"{ADDRESS:.2f}": "an address for a month",
        f"{TASK:.2f}": "a task for a month",
    },
}
"""By lab: the amounts in USD that its text may name, and of what."""


def texts(number: str) -> str:
    """A lab's prose, questions, predictions and differences."""
    book = json.loads((PROJECT / "notebooks" / LABS[number].notebook).read_text("utf-8"))
    cells = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "markdown"]
    files = sorted((PROJECT / "labs_helpers" / "labs" / f"lab{number}").glob("*.json"))
    return "\n".join([*cells, *(file.read_text("utf-8") for file in files)])


@pytest.mark.parametrize("one", FILE["prices"], ids=lambda one: str(one["name"]))
def test_a_price_has_a_date_a_source_and_what_it_leaves_out(one: dict[str, object]) -> None:
    assert re.fullmatch(r"\d{4}-\d\d(-\d\d)?", str(one["stated"]))
    assert str(one["stated"]) <= FILE["checked"]
    assert str(one["source"]).startswith("https://")
    assert one["read"]
    assert one["left_out"]
    assert one["unit"]


def test_the_file_was_checked_on_a_day() -> None:
    date.fromisoformat(FILE["checked"])


@pytest.mark.parametrize("number", LABS)
def test_an_amount_in_a_lab_is_computed_from_the_file(number: str) -> None:
    assert set(_AMOUNT.findall(texts(number))) == set(SAID.get(number, {}))


def test_what_lab_03_says_of_many_images_follows_from_the_file() -> None:
    meet = (10 * SEAT - ecr(10, 0)) / (0.1 * PRICES["ecr_storage"])
    assert f"near {round(meet, -3):,.0f}\nimages" in texts("03")
    assert 0.1 * PRICES["ecr_storage"] == pytest.approx(0.01), "one cent an image"


def test_what_lab_14_says_of_an_address_follows_from_the_file() -> None:
    assert round(5 * ADDRESS / TASK) == 2
    assert "adds two fifths to the price of so small a task" in texts("14")
