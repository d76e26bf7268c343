"""What the labs do with a cell on AWS: guard what is the learner's own, and wait for AWS."""

from __future__ import annotations

import pytest

from labs_helpers.files import LabsError
from labs_helpers.on_aws import settle_seconds, settles, touches
from labs_helpers.own_names import OwnNames

ROLE = "role demo-app-build"


@pytest.mark.parametrize(
    "source",
    [
        "%%bash\naws iam delete-role --role-name demo-app-build",
        "%%bash\nfor who in build; do aws iam put-role-policy --role-name demo-app-$who; done",
        "%%bash\nfor r in build; do aws iam delete-role --role-name demo-app-${r}; done",
        'iam.update_role(RoleName="demo-app-build")',
    ],
)
def test_a_cell_that_may_change_a_thing_of_the_learner_s_is_known(source: str) -> None:
    assert touches(source, [ROLE]) == [ROLE]


@pytest.mark.parametrize(
    "source",
    [
        "%%bash\naws iam get-role --role-name demo-app-build",
        "%%bash\naws iam delete-role --role-name demo-app-build-2",
        "%%bash\naws iam delete-role --role-name my-demo-app-build",
        "%%bash\naws iam delete-role --role-name labs-$who",
    ],
)
def test_a_cell_that_only_looks_or_names_another_thing_is_run(source: str) -> None:
    assert touches(source, [ROLE]) == []


def test_a_service_is_named_without_its_cluster() -> None:
    source = "%%bash\naws ecs update-service --cluster demo --service web"
    assert touches(source, ["service demo/web"]) == ["service demo/web"]


@pytest.mark.parametrize(
    ("source", "waits"),
    [
        ("%%bash\naws iam attach-user-policy --user-name labs-dev", True),
        ("%%bash\naws ecr create-repository --repository-name a", True),
        ('lab.prepare(account="444455556666")', True),
        ("%%bash\naws iam list-users", False),
        ("%%bash\naws ecr put-lifecycle-policy --repository-name a", False),
    ],
)
def test_the_labs_wait_after_what_aws_sees_late(source: str, waits: bool) -> None:
    assert settles(source) is waits


def test_the_wait_is_ten_seconds_or_what_the_learner_says() -> None:
    assert settle_seconds({}) == 10
    assert settle_seconds({"LABS_AWS_SETTLE": "0"}) == 0
    for wrong in ("soon", "-1", "601", "nan"):
        with pytest.raises(LabsError, match="0 to 600"):
            settle_seconds({"LABS_AWS_SETTLE": wrong})


def test_the_partner_s_account_is_the_learner_s_second_one() -> None:
    names = OwnNames("444455556666", "eu-central-1", "777788889999")
    text = "arn:aws:iam::210987654321:root may pull from 123456789012"
    assert names.of(text) == "arn:aws:iam::777788889999:root may pull from 444455556666"
    assert names.partner == "777788889999"
