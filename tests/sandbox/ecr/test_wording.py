"""Each sentence of ECR's has its source and date in one place, or is known to have none."""

import importlib
import pkgutil
import re

from labs_helpers.sandbox import ecr
from labs_helpers.sandbox.ecr import wording
from labs_helpers.sandbox.service.errors import ServiceError


def worded() -> set[str]:
    """The classes of ECR's errors that have a sentence of their own."""
    for module in pkgutil.walk_packages(ecr.__path__, f"{ecr.__name__}."):
        importlib.import_module(module.name)
    found, left = set(), [ServiceError]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__module__.startswith(ecr.__name__) and "words" in vars(kind):
            found.add(kind.__name__)
    return found


def test_every_sentence_has_its_source_or_is_known_to_have_none() -> None:
    assert worded() == set(wording.SOURCES) | wording.UNQUOTED
    assert not set(wording.SOURCES) & wording.UNQUOTED


def test_a_source_is_an_address_with_a_date() -> None:
    for source, seen in wording.SOURCES.values():
        assert re.fullmatch(r"https://[a-z.]+/\S+", source)
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", seen)
        assert seen <= wording.READ
