"""Lab 01: what its checks say in each state a learner can be in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labs_helpers.checks import NotAttempted, NotYet, Passed, run
from tests.labs.fakes import world


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "AnyOperation")


class Sts:
    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal

    def get_caller_identity(self) -> dict[str, str]:
        if self.refusal:
            raise refused(self.refusal)
        return {"Arn": "arn:aws:iam::123456789012:user/learner"}


class S3:
    def __init__(self, answer: dict[str, str] | None) -> None:
        self.answer = answer

    def get_bucket_versioning(self, Bucket: str) -> dict[str, str]:
        assert Bucket == "labs-archive-123456789012"
        if self.answer is None:
            raise refused("NoSuchBucket")
        return self.answer


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config file, with the profile that the lesson makes."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    path.write_text("[default]\nregion = us-west-2\n")
    return path


def first(tmp_path: Path, refusal: str = "") -> Any:
    return run("01.1", world(tmp_path, clients={"sts": Sts(refusal)}))


@pytest.mark.usefixtures("config")
def test_no_profile_is_not_attempted(tmp_path: Path) -> None:
    assert isinstance(first(tmp_path), NotAttempted)


def test_a_profile_of_another_region_is_not_it(tmp_path: Path, config: Path) -> None:
    config.write_text("[default]\nregion = us-west-2\n[profile workshop]\nregion = us-west-2\n")

    outcome = first(tmp_path)

    assert isinstance(outcome, NotYet)
    assert (outcome.found, outcome.wanted) == ("us-west-2", "eu-west-1")


def test_a_profile_with_a_wrong_key_is_not_it(tmp_path: Path, config: Path) -> None:
    config.write_text("[default]\nregion = us-west-2\n[profile workshop]\nregion = eu-west-1\n")

    outcome = first(tmp_path, refusal="SignatureDoesNotMatch")

    assert isinstance(outcome, NotYet)
    assert outcome.found == "SignatureDoesNotMatch"


def test_default_was_to_stay(tmp_path: Path, config: Path) -> None:
    config.write_text("[default]\nregion = eu-west-1\n[profile workshop]\nregion = eu-west-1\n")

    outcome = first(tmp_path)

    assert isinstance(outcome, NotYet)
    assert outcome.looked_at == "the region of profile default"


def test_the_profile_passes(tmp_path: Path, config: Path) -> None:
    config.write_text("[default]\nregion = us-west-2\n[profile workshop]\nregion = eu-west-1\n")

    assert isinstance(first(tmp_path), Passed)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (None, NotAttempted),
        ({}, NotYet),
        ({"Status": "Suspended"}, NotYet),
        ({"Status": "Enabled"}, Passed),
    ],
)
def test_the_archive(tmp_path: Path, answer: dict[str, str] | None, kind: type) -> None:
    assert isinstance(run("01.2", world(tmp_path, clients={"s3": S3(answer)})), kind)
