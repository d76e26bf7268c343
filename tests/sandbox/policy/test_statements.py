"""The requests that a statement applies to: its Action, its Resource and its variables."""

import pytest

from labs_helpers.sandbox.policy.document import NotAPolicy, parse
from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Outcome, Policies
from tests.sandbox.policy.examples import GUIDE, OURS, REPOSITORY, identity, request, statement

ACTION = GUIDE + "reference_policies_elements_action.html"
NOT_ACTION = GUIDE + "reference_policies_elements_notaction.html"
RESOURCE = GUIDE + "reference_policies_elements_resource.html"
NOT_RESOURCE = GUIDE + "reference_policies_elements_notresource.html"
VARIABLES = GUIDE + "reference_policies_variables.html"
VERSION = GUIDE + "reference_policies_elements_version.html"
NO_RESOURCE = (
    "https://docs.aws.amazon.com/service-authorization/latest/reference/"
    "reference_policies_actions-resources-contextkeys.html"
)


def allowed(one: dict, *, version: str = "2012-10-17", **asked: str) -> bool:
    held = Policies(identity=(identity(one, version=version),))
    return evaluate(request(**asked), held).allowed


@pytest.mark.parametrize(
    ("elements", "action", "applies", "source"),
    [
        ({"Action": "ecr:PutImage"}, "ecr:PutImage", True, ACTION),
        ({"Action": "ECR:putimage"}, "ecr:PutImage", True, ACTION),
        ({"Action": "ecr:PutImage"}, "ecr:PutImageScanningConfiguration", False, ACTION),
        ({"Action": "ecr:*"}, "ecr:PutImage", True, ACTION),
        ({"Action": "ecr:*Layer*"}, "ecr:InitiateLayerUpload", True, ACTION),
        ({"Action": "ecr:*Layer*"}, "ecr:PutImage", False, ACTION),
        ({"Action": "ecr:Pu?Image"}, "ecr:PutImage", True, ACTION),
        ({"Action": "ecr:Pu?Image"}, "ecr:PuttImage", False, ACTION),
        ({"Action": ["s3:*", "ecr:Put*"]}, "ecr:PutImage", True, ACTION),
        ({"Action": "ecr:*"}, "ecr-public:PutImage", False, ACTION),
        ({"NotAction": "iam:*"}, "ecr:PutImage", True, NOT_ACTION),
        ({"NotAction": ["iam:*", "ecr:*"]}, "ecr:PutImage", False, NOT_ACTION),
    ],
)
def test_an_action_is_matched_by_name_and_wildcard(
    elements: dict, action: str, applies: bool, source: str
) -> None:
    assert allowed(statement(**elements), action=action) is applies, source


@pytest.mark.parametrize(
    ("pattern", "arn", "applies", "source"),
    [
        ("*", REPOSITORY, True, RESOURCE),
        (REPOSITORY, REPOSITORY, True, RESOURCE),
        (REPOSITORY, REPOSITORY + "-2", False, RESOURCE),
        (REPOSITORY.upper(), REPOSITORY, False, RESOURCE),
        ("arn:aws:ecr:*:*:repository/*", REPOSITORY, True, RESOURCE),
        (f"arn:aws:ecr:us-west-2:{OURS}:repository/demo-app-rep?", REPOSITORY, True, RESOURCE),
        ("arn:aws:ecr:eu-west-1:*:repository/*", REPOSITORY, False, RESOURCE),
        ("arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket/1/2/test/3/o.jpg", True, RESOURCE),
        ("arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket//test/", True, RESOURCE),
        ("arn:aws:s3:::bucket/*/test/*", "arn:aws:s3:::bucket/test/o.jpg", False, RESOURCE),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a:b/c", True, RESOURCE),
        # a wildcard stays within its segment
        ("arn:aws:ecr:*:repository/*", REPOSITORY, False, RESOURCE),
        ("arn:aws:logs:*:*:log-group:/a/*", "arn:aws:logs:r:1:log-group:/a/b:c", True, RESOURCE),
        # an action on no particular resource needs "*"
        ("arn:aws:ecr:*:*:repository/*", "*", False, NO_RESOURCE),
        ("*", "*", True, NO_RESOURCE),
    ],
)
def test_a_resource_is_matched_segment_by_segment(
    pattern: str, arn: str, applies: bool, source: str
) -> None:
    assert allowed(statement(Resource=pattern), resource=arn) is applies, source
    assert allowed(statement(NotResource=pattern), resource=arn) is not applies, NOT_RESOURCE


@pytest.mark.parametrize(
    ("name", "keys", "applies", "source"),
    [
        ("${aws:username}", {"aws__username": "dev"}, True, VARIABLES),
        ("${AWS:UserName}", {"aws__username": "dev"}, True, VARIABLES),
        ("${aws:username}", {"aws__username": "ann"}, False, VARIABLES),
        ("team-${aws:username}", {"aws__username": "dev"}, False, VARIABLES),
        ("${aws:username}", {}, False, VARIABLES + "#policy-vars-no-value"),
        ("${aws:username, 'dev'}", {}, True, VARIABLES + "#policy-vars-default-values"),
        ("${aws:username, 'dev'}", {"aws__username": "ann"}, False, VARIABLES),
        ("${aws:TagKeys}", {"aws__TagKeys": ("dev", "x")}, False, VARIABLES),
        # a value is text: a wildcard in the caller's name matches only itself
        ("${aws:username}", {"aws__username": "*"}, False, VARIABLES),
        ("d?v", {}, True, RESOURCE),
        ("d${?}v", {}, False, VARIABLES + "#policy-vars-specialchars"),
        ("${*}", {}, False, VARIABLES + "#policy-vars-specialchars"),
    ],
)
def test_a_variable_stands_for_a_key_of_the_request(
    name: str, keys: dict, applies: bool, source: str
) -> None:
    one = statement(Resource=f"arn:aws:ecr:*:*:repository/{name}")
    arn = f"arn:aws:ecr:us-west-2:{OURS}:repository/dev"
    assert allowed(one, resource=arn, **keys) is applies, source


@pytest.mark.parametrize("version", ["2008-10-17"])
def test_an_older_version_knows_no_variables(version: str) -> None:
    one = statement(Resource="arn:aws:s3:::b/${aws:username}")
    asked = {"aws__username": "dev"}
    assert not allowed(one, version=version, resource="arn:aws:s3:::b/dev", **asked), VERSION
    assert allowed(one, version=version, resource="arn:aws:s3:::b/${aws:username}"), VERSION


def test_a_pattern_of_many_stars_is_matched_in_no_time() -> None:
    """Time grows with the length of pattern and text, not with their possible splits."""
    one = statement(Resource="arn:aws:s3:::" + "a*" * 400 + "b")
    assert not allowed(one, resource="arn:aws:s3:::" + "a" * 1000)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", ""),
        ("[]", ""),
        ("{}", "Statement"),
        ('{"Statement": "x"}', "Statement"),
        ('{"Statement": [1]}', "Statement[0]"),
        ('{"Statement": [{"Action": "*"}]}', "Statement[0].Effect"),
        ('{"Statement": [{"Effect": "Allow", "Action": [1]}]}', "Statement[0].Action"),
        ('{"Statement": {"Effect": "Deny", "Condition": 1}}', "Statement[0].Condition"),
        ("[" * 100_000, ""),
    ],
)
def test_what_is_no_policy_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(NotAPolicy) as refused:
        parse(text)
    assert refused.value.place == place


@pytest.mark.parametrize(
    ("effect", "outcome"),
    [("Allow", Outcome.IMPLICIT_DENY), ("Deny", Outcome.EXPLICIT_DENY)],
)
def test_a_condition_that_cannot_be_understood_only_denies(effect: str, outcome: Outcome) -> None:
    """IAM refuses an unknown operator; if a policy has one, it must not give access."""
    one = statement(effect, Condition={"StringEqualsish": {"aws:username": "dev"}})
    assert evaluate(request(), Policies(identity=(identity(one),))).outcome is outcome


def test_a_document_is_read_once() -> None:
    text = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    assert parse(text) is parse(text)
