"""Properties that hold for every decision and all policies."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from labs_helpers.sandbox.policy.document import NotAPolicy, parse
from labs_helpers.sandbox.policy.elements import MalformedPolicy
from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.grammar import check_identity_policy
from labs_helpers.sandbox.policy.model import Kind, Outcome, Policies, Policy
from labs_helpers.sandbox.policy.request import Request
from labs_helpers.sandbox.policy.sentence import sentence
from tests.sandbox.policy.examples import DEV, FEDERATED, OURS, SESSION, STRANGER, THEIRS, policy

EVERY = settings(deadline=None, max_examples=200)

ACTIONS = ["ecr:PutImage", "ecr:BatchGetImage", "s3:GetObject"]
PATTERNS = [*ACTIONS, "*", "ecr:*", "ECR:put*", "s3:Get?bject"]
RESOURCES = [f"arn:aws:ecr:us-west-2:{OURS}:repository/demo", "arn:aws:s3:::bucket/dev/x", "*"]
RESOURCE_PATTERNS = [
    *RESOURCES,
    "arn:aws:ecr:*:*:repository/*",
    "arn:aws:s3:::bucket/${aws:username}/*",
]
PRINCIPALS = ["*", OURS, THEIRS, DEV.arn, SESSION.arn, SESSION.principal_arn, STRANGER.arn]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"StringEquals": {"aws:username": "dev"}},
    {"StringNotEquals": {"aws:username": "${aws:PrincipalTag/owner}"}},
    {"Null": {"aws:username": "true"}},
    {"ForAllValues:StringLike": {"aws:TagKeys": ["e*", "team"]}},
    {"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}},
]

contexts = st.fixed_dictionaries(
    {},
    optional={
        "aws:username": st.sampled_from([("dev",), ("ann",)]),
        "aws:tagkeys": st.sampled_from([("env",), ("env", "cost")]),
        "aws:multifactorauthage": st.sampled_from([("10",), ("7200",), ("x",)]),
    },
)
requests = st.builds(
    Request,
    st.sampled_from([DEV, SESSION, FEDERATED, STRANGER]),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    st.sampled_from([OURS, THEIRS]),
    contexts,
)


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3)


def statements(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    elements: dict[str, st.SearchStrategy[Any]] = {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Resource": some(RESOURCE_PATTERNS),
        "Condition": st.sampled_from(CONDITIONS),
    }
    if kind is Kind.RESOURCE:
        elements["Principal"] = st.builds(lambda arns: {"AWS": arns}, some(PRINCIPALS))
    return st.one_of(
        st.fixed_dictionaries({**elements, "Action": some(PATTERNS)}),
        st.fixed_dictionaries({**elements, "NotAction": some(PATTERNS)}),
    )


def documents(kind: Kind) -> st.SearchStrategy[Policy]:
    return st.lists(statements(kind), max_size=3).map(lambda listed: policy(kind, *listed))


def sets_of(kind: Kind) -> st.SearchStrategy[tuple[Policy, ...]]:
    return st.lists(documents(kind), max_size=3).map(tuple)


held = st.builds(
    Policies,
    identity=sets_of(Kind.IDENTITY),
    resource=sets_of(Kind.RESOURCE),
    boundary=st.none() | documents(Kind.BOUNDARY),
    session=st.none() | sets_of(Kind.SESSION),
    service_control=st.lists(sets_of(Kind.SERVICE_CONTROL), max_size=2).map(tuple),
)

KINDS = {Kind.IDENTITY: "identity", Kind.RESOURCE: "resource"}


def with_statement(policies: Policies, kind: Kind, statement: dict[str, Any]) -> Policies:
    name = KINDS[kind]
    return replace(policies, **{name: (*getattr(policies, name), policy(kind, statement))})


def statements_of(policies: Policies) -> list[tuple[str, int, int]]:
    return [
        (name, number, index)
        for name in KINDS.values()
        for number, each in enumerate(getattr(policies, name))
        for index in range(len(each.document.statements))
    ]


def without(policies: Policies, place: tuple[str, int, int]) -> tuple[Policies, dict[str, Any]]:
    name, number, index = place
    listed = list(getattr(policies, name))
    kept = [dict(one.source) for one in listed[number].document.statements]
    gone = kept.pop(index)
    listed[number] = policy(listed[number].kind, *kept)
    return replace(policies, **{name: tuple(listed)}), gone


@EVERY
@given(requests, held, st.sampled_from(list(KINDS)))
def test_a_deny_never_loses(asked: Request, policies: Policies, kind: Kind) -> None:
    denying = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    if kind is Kind.RESOURCE:
        denying["Principal"] = "*"
    decision = evaluate(asked, with_statement(policies, kind, denying))
    assert decision.outcome is Outcome.EXPLICIT_DENY


@EVERY
@given(requests, held, st.data())
def test_adding_an_allow_never_removes_access(
    asked: Request, policies: Policies, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(list(KINDS)))
    added = {**data.draw(statements(kind)), "Effect": "Allow"}
    before, after = (
        evaluate(asked, policies),
        evaluate(asked, with_statement(policies, kind, added)),
    )
    assert after.allowed or not before.allowed


@EVERY
@given(requests, held, st.data())
def test_only_removing_a_deny_adds_access(
    asked: Request, policies: Policies, data: st.DataObject
) -> None:
    places = statements_of(policies)
    if not places:
        return
    fewer, gone = without(policies, data.draw(st.sampled_from(places)))
    if evaluate(asked, fewer).allowed and not evaluate(asked, policies).allowed:
        assert gone["Effect"] == "Deny"


@EVERY
@given(requests, held, st.randoms(use_true_random=False))
def test_the_order_of_policies_and_statements_is_nothing(
    asked: Request, policies: Policies, random: Any
) -> None:
    def shuffled(listed: tuple[Policy, ...]) -> tuple[Policy, ...]:
        made = []
        for each in listed:
            inner = [dict(one.source) for one in each.document.statements]
            random.shuffle(inner)
            made.append(policy(each.kind, *inner))
        random.shuffle(made)
        return tuple(made)

    other = replace(
        policies, identity=shuffled(policies.identity), resource=shuffled(policies.resource)
    )
    one, two = evaluate(asked, policies), evaluate(asked, other)
    assert (one.outcome, one.kind, one.missing_context, len(one.matched)) == (
        two.outcome,
        two.kind,
        two.missing_context,
        len(two.matched),
    )


@EVERY
@given(requests, held)
def test_a_refusal_can_always_be_said(asked: Request, policies: Policies) -> None:
    assert sentence(asked, evaluate(asked, policies)).startswith("User: arn:aws:")


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
names = st.sampled_from(
    ["Effect", "Action", "Resource", "NotResource", "Principal", "Condition", "Sid"]
)
loose = st.dictionaries(
    names,
    st.sampled_from(["Allow", "Deny", "*", {"StringLike": {"a:b": [1, None, "${x", "${}"]}}])
    | json_values,
)


@EVERY
@given(loose, requests)
def test_whatever_is_a_policy_at_all_can_be_decided(source: dict, asked: Request) -> None:
    """Any document can be decided or raises NotAPolicy, and nothing else."""
    try:
        document = parse({"Version": "2012-10-17", "Statement": [source]})
    except NotAPolicy:
        return
    for kind in (Kind.IDENTITY, Kind.RESOURCE):
        one = (Policy(kind, "p", document),)
        evaluate(asked, Policies(**{KINDS[kind]: one}))


@EVERY
@given(st.text(max_size=30) | json_values.map(str))
def test_any_text_is_taken_or_refused_as_malformed(text: str) -> None:
    with suppress(MalformedPolicy):
        check_identity_policy(text)


@EVERY
@given(statements(Kind.IDENTITY), requests)
def test_what_the_grammar_takes_can_be_evaluated(source: dict, asked: Request) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": source})
    check_identity_policy(text)
    evaluate(asked, Policies(identity=(Policy(Kind.IDENTITY, "p", parse(text)),)))
