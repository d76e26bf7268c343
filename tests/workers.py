"""How pytest-xdist shares the tests out among the workers of `make test`.

A worker runs a whole file, so that what the file starts is started once. The tests of one real
daemon are one worker's, since each test empties its daemon; and in some files each test takes long
and starts nothing, so that they are shared out one by one. Its own `--dist loadgroup` would do, but
groups nothing under pytest 9.2 (https://github.com/pytest-dev/pytest-xdist/issues/1386).
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

DAEMONS = {
    "daemons": {"dockerd", "dockerd_on_vfs"},
    "containerd": {"containerd"},
    "podman": {"podman"},
}
"""The daemons of a group: fixtures of tests/conftest.py, and parameters where tests try engines.

No test uses daemons of two groups.
"""
OWN = ("embedded", "stand-in", "own")
"""Parameters that name the labs' own engine where tests try engines: no daemon runs."""

ON_DAEMONS = {
    "tests/bench/test_build.py",
    "tests/bench/test_containers.py",
    "tests/bench/test_engines.py",
    "tests/clients/test_buildkit.py",
    "tests/clients/test_builds_in_front.py",
    "tests/clients/test_builds_match_dockerd.py",
    "tests/clients/test_containers_everywhere.py",
    "tests/clients/test_dockerd.py",
    "tests/clients/test_every_engine.py",
    "tests/clients/test_isolated_everywhere.py",
    "tests/clients/test_labs_with_docker.py",
    "tests/engine/front/test_leftovers.py",
    "tests/engine/test_killed.py",
}
ONE_BY_ONE = {"tests/notebooks/test_outputs.py"}
LONG = [
    "tests/test_trap.py",
    "tests/test_cli_servers.py",
    "tests/clients/test_podman_unpacks.py",
    "tests/test_coming_back.py",
    "tests/clients/test_run_apt.py",
    "tests/labs/lab14/test_checks.py",
    "tests/labs/lab12/test_checks.py",
    "tests/labs/lab11/test_checks.py",
    "tests/labs/lab13/test_checks.py",
    "tests/labs/lab10/test_checks.py",
    "tests/labs/lab09/test_checks.py",
    "tests/aws_mode/test_played.py",
    "tests/test_any_state.py",
    "tests/labs/lab05/test_checks.py",
    "tests/labs/lab02/test_checks.py",
    "tests/labs/lab04/test_checks.py",
]
"""The longest of the other files, longest first: begun last, they would leave workers idle."""


def group(nodeid: str) -> str:
    """What a test is shared out with."""
    file = nodeid.partition("::")[0]
    if file not in ON_DAEMONS:
        return nodeid if file in ONE_BY_ONE else file
    parameters = nodeid.partition("[")[2]
    if parameters.startswith(OWN):
        return file
    return next(
        (name for name in ("containerd", "podman") if parameters.startswith(name)), "daemons"
    )


def order(item: pytest.Item) -> int:
    """When a test is shared out: long groups first, others as they come."""
    file = item.nodeid.partition("::")[0]
    if group(item.nodeid) in DAEMONS:
        return 0
    if file in LONG:
        return 1 + LONG.index(file)
    return len(LONG) + (1 if file in ONE_BY_ONE else 2)


def check(item: pytest.Item) -> None:
    """Raise UsageError for a test that uses a daemon and is not with the others that do."""
    if not isinstance(item, pytest.Function):
        return
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    named = {*item.fixturenames, *(value for value in given if isinstance(value, str))}
    asked = named & set().union(*DAEMONS.values())
    if other := asked - DAEMONS.get(group(item.nodeid), set()):
        raise pytest.UsageError(
            f"{item.nodeid} uses {', '.join(sorted(other))}, and is not with the other tests that "
            f"do: see ON_DAEMONS and DAEMONS of {__file__}"
        )


class Groups(LoadScopeScheduling):
    """Whole groups, in the order of collection."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def remove_node(self, node: Any) -> str | None:
        """The test at which a worker ended; other workers take what is left of its groups.

        The scheduler of pytest-xdist 3.8 gives them this test too: one that hangs would end each.
        """
        groups = self.assigned_work.pop(node)
        left = [
            (group, test) for group, tests in groups.items() for test in tests if not tests[test]
        ]
        if not left:
            return None
        ended, crashed = left[0]
        groups[ended][crashed] = True
        for name, tests in groups.items():
            if not all(tests.values()):
                self.workqueue[name] = tests
        for other in self.assigned_work:
            self._reschedule(other)
        return str(crashed)

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
