"""In which states StopServiceDeployment takes a service deployment."""

import pytest

from labs_helpers.sandbox.ecs import releases
from labs_helpers.sandbox.ecs.errors import Conflict


@pytest.mark.parametrize(
    ("status", "then"),
    [
        ("PENDING", "ROLLBACK_REQUESTED"),
        ("IN_PROGRESS", "ROLLBACK_REQUESTED"),
        ("ROLLBACK_REQUESTED", "ROLLBACK_REQUESTED"),
        ("ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"),
    ],
)
def test_what_is_under_way_is_rolled_back(status: str, then: str) -> None:
    release = {"status": status, "updatedAt": 1.0}
    releases.stop(release, 2.0)
    assert release == {"status": then, "updatedAt": 2.0 if status != then else 1.0}


@pytest.mark.parametrize(
    "status", ["SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"]
)
def test_what_has_ended_cannot_be_stopped(status: str) -> None:
    release = {"status": status, "updatedAt": 1.0}
    with pytest.raises(Conflict, match=status):
        releases.stop(release, 2.0)
    assert release == {"status": status, "updatedAt": 1.0}
