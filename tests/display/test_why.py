"""The drawing of an IAM decision says the same as text and as HTML."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.display.why import not_kept, nothing, why
from tests.display.test_drawings import assert_html_says_as_much

REPOSITORY = "arn:aws:ecr:us-west-2:123456789012:repository/demo-app-repo"
DEV = "arn:aws:iam::123456789012:user/labs-dev"
DENY = {"Sid": "Never", "Effect": "Deny", "Action": "ecr:PutImage", "Resource": "*"}
ALLOW = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": REPOSITORY}
GUARDRAIL = {
    "kind": "identity-based policy",
    "name": "guardrail",
    "arn": "",
    "via": "inline in group labs-pushers",
}


def explained(**changed: Any) -> dict[str, Any]:
    """A refusal for want of a policy, as the sandbox's control API explains it."""
    refusal = {
        "principal": DEV,
        "action": "ecr:PutImage",
        "resource": REPOSITORY,
        "outcome": "implicitDeny",
        "sentence": f"User: {DEV} is not authorized to perform: ecr:PutImage on resource: "
        f"{REPOSITORY} because no identity-based policy allows the ecr:PutImage action",
        "policies": [],
        "statements": [],
        "would_allow": ALLOW,
        "where": f"an identity-based policy of {DEV}",
    }
    return refusal | changed


DENIED = explained(
    outcome="explicitDeny",
    sentence=f"User: {DEV} is not authorized to perform: ecr:PutImage on resource: "
    f"{REPOSITORY} with an explicit deny in an identity-based policy",
    policies=[GUARDRAIL],
    statements=[{**GUARDRAIL, "index": 1, "sid": "Never", "statement": DENY}],
    would_allow=None,
)


def test_a_missing_policy_is_named_with_the_statement_that_would_help() -> None:
    assert why(explained()).text == (
        "✗ refused\n"
        f"  who              {DEV}\n"
        "  what             ecr:PutImage\n"
        f"  on               {REPOSITORY}\n"
        "  looked at        no policy: none is attached to the caller, none is on the resource\n"
        "  because          no identity-based policy allows the ecr:PutImage action\n"
        f"  what would help  this statement in an identity-based policy of {DEV}\n"
        "    {\n"
        '      "Effect": "Allow",\n'
        '      "Action": "ecr:PutImage",\n'
        f'      "Resource": "{REPOSITORY}"\n'
        "    }"
    )


def test_a_deny_is_shown_by_the_statement_that_denies() -> None:
    text = why(DENIED).text
    assert "guardrail (identity-based policy, inline in group labs-pushers)" in text
    assert "with an explicit deny in an identity-based policy" in text
    assert "statement 2 of guardrail (Never):" in text
    assert "no allow beats it" in text


def test_what_is_allowed_names_the_statement_that_allows() -> None:
    statement = {**GUARDRAIL, "index": 0, "sid": None, "statement": ALLOW}
    text = why(explained(outcome="allowed", sentence="", statements=[statement])).text
    assert text.startswith("✓ allowed")
    assert "statement 1 of guardrail:" in text
    assert "what would help" not in text


def test_the_root_user_needs_no_policy() -> None:
    assert "needs no policy" in why(explained(outcome="allowed", sentence="")).text


SIMULATED = explained(
    outcome="allowed",
    sentence="",
    policies=None,
    not_looked_at=["policies on the resource"],
    missing_context=["aws:SourceIp"],
    statements=[
        {"name": "user_ana", "kind": "IAM Policy", "line": 3, "column": 17, "statement": None},
        {"name": "group_all", "kind": "IAM Policy", "line": None, "statement": None},
    ],
)


def test_what_the_simulator_does_not_say_is_not_said() -> None:
    lines = why(SIMULATED).text.splitlines()
    assert lines[4:] == [
        "  looked at      by IAM's simulator: the policies of the caller, its groups and its "
        "organization",
        "  because        a statement of user_ana (IAM Policy) at line 3, column 17",
        "                 a statement of group_all (IAM Policy)",
        "  not looked at  policies on the resource",
        "  not known      aws:SourceIp",
    ]


def test_where_to_look_for_a_refusal_on_aws_is_the_same_in_html() -> None:
    assert_html_says_as_much(not_kept())


def test_on_aws_the_link_of_a_denial_is_named() -> None:
    assert "authorization ID" in str(not_kept())


@pytest.mark.parametrize(
    "seen", [explained(), DENIED, SIMULATED], ids=["missing", "denied", "simulated"]
)
def test_the_html_says_no_less(seen: dict[str, Any]) -> None:
    assert_html_says_as_much(why(seen))


def test_before_any_refusal_it_says_so() -> None:
    assert nothing().text == "Nothing has been refused yet."
