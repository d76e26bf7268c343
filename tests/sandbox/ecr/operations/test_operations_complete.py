"""Which of AWS's operations there are, and what is answered for those there are not."""

import json
from pathlib import Path

import pytest

from labs_helpers.sandbox.ecr.page import NOTES, PAGE, RECORDED, page
from tests.sandbox.ecr.operations.ecr_api import OPERATIONS, TARGET, Ecr

ABSENT = {
    "DeleteSigningConfiguration",
    "DescribeImageReplicationStatus",
    "DescribeImageSigningStatus",
    "DescribeReplicationBackfillResults",
    "GetSigningConfiguration",
    "ListReplicationBackfills",
    "PutSigningConfiguration",
    "StartReplicationBackfill",
    "StopReplicationBackfill",
}


def test_every_operation_of_the_model_is_built_or_known_to_be_absent(ecr: Ecr) -> None:
    assert set(ecr.service.model.operation_names) == set(OPERATIONS) | ABSENT
    assert not set(OPERATIONS) & ABSENT


def test_a_reason_is_given_where_there_is_one(ecr: Ecr) -> None:
    _, message = ecr.error("DescribeImageReplicationStatus")
    assert message.endswith("it exists on AWS. Replication rules are stored and not followed.")


@pytest.mark.parametrize("operation", sorted(ABSENT))
def test_an_absent_operation_says_so_at_once(ecr: Ecr, operation: str) -> None:
    code, message = ecr.error(operation)
    assert code == "NotInSandbox"
    assert f"ecr:{operation}" in message


@pytest.mark.parametrize(
    "target", ["", "ListImages", f"{TARGET}.", f"{TARGET}.Nothing", "Other_V1.ListImages"]
)
def test_what_aws_does_not_have_is_unknown(ecr: Ecr, target: str) -> None:
    answer = ecr.raw(target, b"{}")
    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == "UnknownOperationException"


def test_the_page_of_operations_is_written_from_the_code() -> None:
    written = (Path(__file__).parents[4] / PAGE).read_text(encoding="utf-8")
    assert written == page(), "run `python -m labs_helpers.sandbox.ecr.page`"


def test_the_page_has_every_operation_once(ecr: Ecr) -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| ")][1:]
    kinds = {name.removeprefix("| "): kind for name, kind, _ in rows}
    assert sorted(kinds) == sorted(ecr.service.model.operation_names)
    assert len(rows) == len(kinds)
    assert {name for name, kind in kinds.items() if kind == "refused"} == ABSENT
    assert set(RECORDED) | set(NOTES) <= set(OPERATIONS)
