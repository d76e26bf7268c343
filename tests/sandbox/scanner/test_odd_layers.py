"""What a container runtime would unpack is what is scanned, or the scan fails."""

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from labs_helpers.gate.scan import Scan
from labs_helpers.gate.verdict import Rules, judge
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.scanner import snapshot
from labs_helpers.sandbox.scanner.inventory import take
from labs_helpers.sandbox.scanner.limits import Unscannable
from labs_helpers.sandbox.scanner.report import scan
from tests.sandbox.ecr.operations.ecr_api import Ecr
from tests.sandbox.ecr.operations.scans import Scans
from tests.sandbox.scanner.images import store
from tests.sandbox.scanner.odd_layers import CASES, FAILS, Case

SNAPSHOT = snapshot.load()


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_a_scan_finds_what_a_runtime_unpacks_or_fails(tmp_path: Path, case: Case) -> None:
    """Reported as D3."""
    pile = [store(tmp_path, gzip.compress(layer, mtime=0)) for layer in case.layers]
    if case.found == FAILS:
        with pytest.raises(Unscannable) as caught:
            scan(pile, SNAPSHOT, languages=False)
        assert str(caught.value).endswith(".")
        return
    report = scan(pile, SNAPSHOT, languages=False)
    assert report["packages"] == 1
    found = [f"{package.name} {package.version}" for package in take(pile).packages]
    assert found == [case.found]


@pytest.fixture
def scans(tmp_path: Path) -> Iterator[Scans]:
    """An ECR with a repository ``demo``."""
    clock = Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
    store = Store(tmp_path / "ecr", clock)
    ecr = Ecr(store, clock)
    ecr("CreateRepository", repositoryName="demo")
    yield Scans(ecr)
    store.close()


@pytest.mark.parametrize("name", ["a whiteout and a decoy", "a block of zeros inside"])
def test_ecr_says_failed_and_the_gate_stays_closed(scans: Scans, name: str) -> None:
    """Reported as D3."""
    scans._put("demo", "v1", [gzip.compress(layer, mtime=0) for layer in CASES[name].layers])
    scans.start()
    scans.run()
    status, description = scans.status()
    assert status == "FAILED"
    assert description
    found = Scan(
        image="demo:v1",
        digest="",
        status=str(status),
        description=str(description),
        kind="BASIC",
        completed_at=datetime(2026, 11, 2, 9, tzinfo=UTC),
        findings=(),
    )
    assert judge(found, Rules(), [], date(2026, 11, 2)).passed is False
