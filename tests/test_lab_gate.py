"""`lab.gate` in a notebook: what `labs gate` says, as a drawing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from labs_helpers.lab import Lab
from labs_helpers.modes import AWS
from labs_helpers.names import TITLES
from labs_helpers.prepare import Place
from labs_helpers.speech import LabError
from labs_helpers.workspace import Workspace
from tests.gate.answers import Ecr, basic


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab whose ECR found one thing."""
    ecr = Ecr(basic(("CVE-2026-1", "HIGH", "zlib")))
    monkeypatch.setattr(boto3, "client", lambda service, region_name=None: ecr)
    place = Place(Workspace(tmp_path), AWS, "123456789012", "us-west-2")
    return Lab(TITLES["08"], place, None)


def test_a_lab_judges_an_image(lab: Lab, tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    accepted = tmp_path / "accepted.yaml"
    accepted.write_text(f"- id: CVE-2026-1\n  reason: because\n  expires: {tomorrow}\n")
    refused, passed = lab.gate("demo:v1"), lab.gate("demo:v1", accept=accepted)
    assert repr(refused).endswith("demo:v1 does not pass: 1 HIGH at or above HIGH")
    assert repr(passed).endswith("demo:v1 passes: nothing at or above HIGH, 1 accepted")
    assert refused._repr_html_().startswith("<pre>SEVERITY")


def test_a_lab_says_which_image_it_cannot_judge(lab: Lab) -> None:
    with pytest.raises(LabError, match="names no image in ECR"):
        lab.gate("Not an image")
