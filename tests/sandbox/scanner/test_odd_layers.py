"""What a container runtime would unpack is what is scanned, or the scan fails."""

import gzip
from pathlib import Path

import pytest

from labs_helpers.sandbox.scanner import snapshot
from labs_helpers.sandbox.scanner.inventory import take
from labs_helpers.sandbox.scanner.limits import Unscannable
from labs_helpers.sandbox.scanner.report import scan
from tests.sandbox.scanner.images import store
from tests.sandbox.scanner.odd_layers import CASES, FAILS, Case

SNAPSHOT = snapshot.load()


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_a_scan_finds_what_a_runtime_unpacks_or_fails(tmp_path: Path, case: Case) -> None:
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
