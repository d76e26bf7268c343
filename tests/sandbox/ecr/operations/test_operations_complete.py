"""Which of AWS's operations there are, and what is answered for those there are not."""

import json

import pytest

from labs_helpers.sandbox.ecr.operations import NOT_BUILT, OPERATIONS
from labs_helpers.sandbox.ecr.protocol import service_model
from tests.sandbox.ecr.operations.ecr_api import TARGET, Ecr

ABSENT = {
    "DeleteSigningConfiguration",
    "DeregisterPullTimeUpdateExclusion",
    "DescribeImageReplicationStatus",
    "DescribeImageSigningStatus",
    "DescribeReplicationBackfillResults",
    "GetLifecyclePolicyPreview",
    "GetSigningConfiguration",
    "ListPullTimeUpdateExclusions",
    "ListReplicationBackfills",
    "PutSigningConfiguration",
    "RegisterPullTimeUpdateExclusion",
    "StartLifecyclePolicyPreview",
    "StartReplicationBackfill",
    "StopReplicationBackfill",
    "UpdateImageStorageClass",
    "ValidatePullThroughCacheRule",
}


def test_every_operation_of_the_model_is_built_or_known_to_be_absent() -> None:
    assert set(service_model().operation_names) == set(OPERATIONS) | ABSENT
    assert not set(OPERATIONS) & ABSENT
    assert set(NOT_BUILT) <= ABSENT


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
