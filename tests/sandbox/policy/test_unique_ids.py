"""The principals of a stored policy: saved by unique id, shown by the ARN of today."""

from __future__ import annotations

import json

from labs_helpers.sandbox.policy.unique_ids import saved, shown

DEV = "arn:aws:iam::123456789012:user/dev"
DEV_ID = "AIDAEXAMPLEEXAMPLE234"
ROLE = "arn:aws:iam::123456789012:role/path/app"
ROLE_ID = "AROAEXAMPLEEXAMPLE234"
IDS = {DEV: DEV_ID, ROLE: ROLE_ID}
ARNS = {unique_id: arn for arn, unique_id in IDS.items()}


def text(principal: object, element: str = "Principal") -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", element: principal, "Action": "s3:*"}]})


def principal_of(policy: str, element: str = "Principal") -> object:
    return json.loads(policy)["Statement"][0][element]


def test_users_and_roles_are_saved_by_their_unique_ids() -> None:
    kept = saved(text({"AWS": [DEV, ROLE]}), IDS.get)
    assert principal_of(kept) == {"AWS": [DEV_ID, ROLE_ID]}


def test_not_principal_is_saved_the_same_way() -> None:
    kept = saved(text({"AWS": DEV}, "NotPrincipal"), IDS.get)
    assert principal_of(kept, "NotPrincipal") == {"AWS": DEV_ID}


def test_a_single_statement_without_a_list_is_read_too() -> None:
    policy = json.dumps({"Statement": {"Effect": "Allow", "Principal": {"AWS": DEV}}})
    assert json.loads(saved(policy, IDS.get))["Statement"]["Principal"] == {"AWS": DEV_ID}


def test_accounts_sessions_services_and_everyone_stay_as_they_were_written() -> None:
    for principal in (
        "*",
        {"AWS": "123456789012"},
        {"AWS": "arn:aws:iam::123456789012:root"},
        {"AWS": "arn:aws:sts::123456789012:assumed-role/app/session"},
        {"Service": "codebuild.amazonaws.com"},
        {"Federated": "arn:aws:iam::123456789012:oidc-provider/example.com"},
        {"AWS": "arn:aws:iam::123456789012:user/nobody"},
    ):
        policy = text(principal)
        assert saved(policy, IDS.get) == policy


def test_an_arn_in_a_condition_is_no_principal() -> None:
    condition = {"ArnEquals": {"aws:PrincipalArn": DEV}}
    statement = {"Effect": "Allow", "Principal": {"AWS": DEV}, "Condition": condition}
    kept = json.loads(saved(json.dumps({"Statement": [statement]}), IDS.get))
    assert kept["Statement"][0]["Condition"] == condition


def test_who_is_there_is_shown_by_the_arn_of_today() -> None:
    renamed = {**ARNS, DEV_ID: DEV.replace("dev", "developer")}
    kept = saved(text({"AWS": [DEV, ROLE]}), IDS.get)
    assert principal_of(shown(kept, renamed.get)) == {"AWS": [renamed[DEV_ID], ROLE]}


def test_who_was_deleted_is_shown_by_the_unique_id() -> None:
    """Reported as F8."""
    kept = saved(text({"AWS": [DEV, ROLE]}), IDS.get)
    assert principal_of(shown(kept, {ROLE_ID: ROLE}.get)) == {"AWS": [DEV_ID, ROLE]}


def test_a_text_that_is_no_policy_stays_as_it_is() -> None:
    for policy in ("", "{", "[]", '"arn:aws:iam::1"', '{"Statement": "arn:aws"}', "[" * 100_000):
        assert saved(policy, IDS.get) == policy
        assert shown(policy, ARNS.get) == policy
