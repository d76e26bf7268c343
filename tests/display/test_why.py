"""Why IAM decided as it did, drawn: the same for people who read text and for those who look."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.display.why import nothing, why
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


@pytest.mark.parametrize("seen", [explained(), DENIED], ids=["missing", "denied"])
def test_the_html_says_no_less(seen: dict[str, Any]) -> None:
    assert_html_says_as_much(why(seen))


def test_before_any_refusal_it_says_so() -> None:
    assert nothing().text == "Nothing has been refused yet."
