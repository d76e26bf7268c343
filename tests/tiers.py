"""Which tests `make test` leaves to CI: those that took long when they were last measured.

`make test` is for whoever works here, and is to end within ten minutes on two cores. CI runs
`make all-tests`: every test but those of `make soak` and `make bench`. ``slow.txt`` lists what
`make test` leaves out, a test function or a whole file a line, and is written from pytest's log:

    make all-tests ARGS="--durations=0 --durations-min=1" | tee log; python -m tests.tiers log

A file is listed where its tests stand on something that takes long to set up: the next of them
would set it up otherwise.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

LIST = Path(__file__).parent / "slow.txt"
SECONDS = 1.0
"""A test is slow from here on."""
SETUPS = 5.0
"""A file is slow whose tests' setups took longer together, of those that took over a second."""

KEPT = {
    "tests/aws_mode/test_played.py",  # three labs on the played AWS
    "tests/hub/test_class_day.py",  # two learners on a hub
    "tests/notebooks/test_outputs.py::test_committed_outputs_are_true",
    "tests/sandbox/test_killed.py",  # twenty ends by kill -9
}
"""What every `make test` runs however long it takes: what the workbook promises first."""

_TOOK = re.compile(r"^\s*([0-9.]+)s (call|setup)\s+(tests/\S+?\.py)::([^\[\s]+)")


def slow(log: Iterable[str]) -> list[str]:
    """Files and tests, as in the list, of the durations that pytest printed at a run's end."""
    took = [found for line in log if (found := _TOOK.match(line)) and float(found[1]) > SECONDS]
    setups: Counter[str] = Counter()
    for one in took:
        if one[2] == "setup":
            setups[one[3]] += float(one[1])
    files = {file for file, seconds in setups.items() if seconds > SETUPS}
    tests = {f"{one[3]}::{one[4]}" for one in took if one[2] == "call" and one[3] not in files}
    return sorted(one for one in files | tests if not KEPT & {one, one.partition("::")[0]})


@cache
def listed() -> frozenset[str]:
    return frozenset(LIST.read_text().split())


def mark(item: pytest.Item) -> None:
    """Mark a listed test as slow."""
    test = item.nodeid.partition("[")[0]
    if listed() & {test, test.partition("::")[0]}:
        item.add_marker("slow")


def main() -> None:
    found = slow(Path(sys.argv[1]).read_text(errors="replace").splitlines())
    LIST.write_text("".join(f"{one}\n" for one in found))
    print(f"{len(found)} lines in {LIST.name}")


if __name__ == "__main__":
    main()
