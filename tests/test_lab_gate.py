"""`lab.gate` in a notebook draws what `labs gate` prints."""

from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from labs_helpers.errors import LabError
from labs_helpers.lab import Lab
from tests.gate.answers import Ecr, basic


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab on 2 November 2026 that was not opened and whose ECR has one finding."""
    ecr = Ecr(basic(("CVE-2026-1", "HIGH", "zlib")))
    monkeypatch.setattr(boto3, "client", lambda service, region_name=None: ecr)
    monkeypatch.setattr(Lab, "_now", lambda self: datetime(2026, 11, 2, 9, tzinfo=UTC))
    return Lab.__new__(Lab)


def test_a_lab_judges_an_image(lab: Lab, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.yaml"
    accepted.write_text("- id: CVE-2026-1\n  reason: because\n  expires: 2026-11-02\n")
    refused, passed = lab.gate("demo:v1"), lab.gate("demo:v1", accept=accepted)
    assert repr(refused).endswith("demo:v1 does not pass: 1 HIGH at or above HIGH")
    assert repr(passed).endswith("demo:v1 passes: nothing at or above HIGH, 1 accepted")
    assert refused._repr_html_().startswith("<pre>SEVERITY")


def test_a_lab_says_which_image_it_cannot_judge(lab: Lab) -> None:
    with pytest.raises(LabError, match="names no image in ECR"):
        lab.gate("Not an image")
