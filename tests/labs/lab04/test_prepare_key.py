"""Starting lab 04 over takes the key of payments/ledger away, as far as KMS lets a key go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.labs.lab04.prepare import KEY, STEPS
from labs_helpers.prepare import Place
from labs_helpers.workspace import Workspace
from tests.sandbox.sandbox_process import Running, start


class Here(Place):
    """A place whose AWS is a sandbox of the test."""

    running: Running

    def client(self, service: str, region: str | None = None) -> Any:
        return self.running.client(service)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Here]:
    running = start(tmp_path / "labs")
    made = Here(Workspace(tmp_path / "labs"), "sandbox", "123456789012", "us-west-2")
    object.__setattr__(made, "running", running)
    yield made
    running.stop()


def test_the_key_and_its_name_go_once(place: Here) -> None:
    kms = place.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=KEY, TargetKeyId=key)
    [step] = [each for each in STEPS if each.fact == "no key for the ledger"]
    for _ in range(2):
        step.ensure(place)
        assert place.removed == [f"the key {KEY}, which KMS deletes in 7 days"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert [each["AliasName"] for each in kms.list_aliases()["Aliases"]] == []
