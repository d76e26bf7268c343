"""What `make test` leaves to `make all-tests`."""

from pathlib import Path

from tests import tiers

LOG = """
==== slowest durations ====
9.00s call     tests/a/test_long.py::test_waits[one]
0.90s call     tests/a/test_long.py::test_is_quick
3.00s setup    tests/a/test_room.py::test_first
2.50s setup    tests/a/test_room.py::test_second[x y]
4.00s call     tests/a/test_room.py::test_first
4.00s setup    tests/a/test_once.py::test_sets_up
80.00s call     tests/sandbox/test_killed.py::test_what_was_acknowledged_is_there
"""


def test_a_slow_test_is_listed_and_the_file_of_long_setups_and_what_is_kept_is_not() -> None:
    assert tiers.slow(LOG.splitlines()) == [
        "tests/a/test_long.py::test_waits",
        "tests/a/test_room.py",
    ]


def test_each_listed_test_exists() -> None:
    """A renamed test would come back into `make test` and make it long, without a word."""
    gone = []
    for line in sorted(tiers.listed()):
        file, *names = line.split("::")
        path = Path(file)
        text = path.read_text() if path.exists() else ""
        if not text or any(name not in text for name in names if name != "runTest"):
            gone.append(line)
    assert gone == []
