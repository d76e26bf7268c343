"""Any request is understood or refused, and what is handed on says the same again."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from labs_helpers.sandbox.authorization import actions, requests
from labs_helpers.sandbox.authorization.models import LISTED
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.refusal import Refusal
from labs_helpers.sandbox.sigv4 import Request
from tests.sandbox.authorization.people_here import Nobody

DEV = Principal("123456789012", "arn:aws:iam::123456789012:user/dev", "AIDADEV", "AKIADEV")

text = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
value = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "cluster", "tags", "key", "Key", "pipeline", "overrides"])
            | text,
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
form = st.lists(
    st.tuples(
        st.sampled_from(["Action", "UserName", "Tags.member.1.Key", "InstanceId.1", "RoleArn"])
        | text,
        st.sampled_from(["CreateUser", "AssumeRole", "CreateStack", "RunInstances", "x"]) | text,
    ),
    max_size=5,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
target = st.sampled_from(
    ["Logs_20140328.PutLogEvents", "CodeBuild_20161006.StartBuild", "AWSEvents.PutEvents",
     "AmazonEC2ContainerServiceV20141113.RunTask", "x", ""]
)  # fmt: skip


@given(
    service=st.sampled_from([*LISTED, "sqs", "sns", "lambda", "apigateway", "dynamodb"]),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"]),
    path=st.sampled_from(["/", "/b/k", "/clusters", "/clusters/a/node-groups"])
    | text.map("/{}".format),
    query=form,
    headers=st.dictionaries(
        st.sampled_from(["x-amz-target", "content-type", "x-amz-copy-source", "x-amz-tagging"]),
        target | text,
    ),
    body=form.map(str.encode) | st.binary(max_size=40) | value.map(lambda v: repr(v).encode()),
)
@settings(max_examples=300, deadline=None)
def test_any_request_is_understood_or_refused(
    service: str, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    path = path.replace("?", "").replace("#", "")
    request = Request(method, path, query, {"host": "127.0.0.1:4566", **headers})
    try:
        asked, plain = requests.read(request, body, service)
        needed = actions.needed(asked, DEV, "us-west-2", Nobody())
    except Refusal:
        return
    assert all(each.action.count(":") >= 1 for each in needed)
    kept = {name: text for name, text in headers.items() if name not in plain.drop}
    again = Request(
        plain.method,
        plain.path,
        plain.query,
        {**kept, "host": plain.host, "content-type": plain.content_type},
    )
    twice, _ = requests.read(again, plain.body, service)
    assert (twice.operation, actions.needed(twice, DEV, "us-west-2", Nobody())) == (
        asked.operation,
        needed,
    )


@given(document=st.dictionaries(st.sampled_from(["cluster", "taskDefinition", "tags"]), value))
@settings(max_examples=150, deadline=None)
def test_any_json_gives_resources_and_keys_or_is_refused(document: dict[str, object]) -> None:
    headers = {"host": "h", "x-amz-target": "AmazonEC2ContainerServiceV20141113.RunTask"}
    body = json.dumps(document).encode()
    asked, _ = requests.read(Request("POST", "/", "", headers), body, "ecs")
    try:
        (first, *_) = actions.needed(asked, DEV, "us-west-2", Nobody())
    except Refusal:  # of a name that is no name of a cluster or a task definition
        return
    assert first.resource.startswith("arn:")
