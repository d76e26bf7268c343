"""Lab 04: what `lab.lifecycle` says of a name that is no repository's."""

from collections.abc import Iterator
from typing import Any

import pytest

from labs_helpers.errors import LabError
from tests.labs.desk import Desk, desk


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("04") as made:
        yield made


def test_a_lifecycle_of_no_repository_says_how_to_list_those_there_are(lab: Desk) -> None:
    with pytest.raises(LabError) as caught:
        lab.lab.lifecycle("nope")
    assert str(caught.value) == (
        "There is no repository nope in us-west-2. "
        "aws ecr describe-repositories lists those there are."
    )


@pytest.mark.parametrize("wrong", [None, 3, "", ["nope"], b"nope"])
def test_a_lifecycle_wants_the_name_of_a_repository(lab: Desk, wrong: Any) -> None:
    with pytest.raises(LabError, match="is not the name of a repository: give a text such as"):
        lab.lab.lifecycle(wrong)
