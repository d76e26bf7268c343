"""References mean the same as in docker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.oci import reference

ECR = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("nginx", "docker.io/library/nginx:latest", "nginx:latest"),
        ("nginx:alpine", "docker.io/library/nginx:alpine", "nginx:alpine"),
        ("amazon/aws-cli", "docker.io/amazon/aws-cli:latest", "amazon/aws-cli:latest"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
        ("localhost/a", "localhost/a:latest", "localhost/a:latest"),
        ("localhost:5000/a:b", "localhost:5000/a:b", "localhost:5000/a:b"),
        (f"{ECR}/demo-app-repo:v1", f"{ECR}/demo-app-repo:v1", f"{ECR}/demo-app-repo:v1"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}", f"nginx@{DIGEST}"),
        (f"nginx:1@{DIGEST}", f"docker.io/library/nginx:1@{DIGEST}", f"nginx:1@{DIGEST}"),
        ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"),
    ],
)
def test_names_are_normalised(text: str, canonical: str, familiar: str) -> None:
    parsed = reference.parse(text)
    assert str(parsed) == canonical
    assert parsed.familiar == familiar
    assert reference.parse(canonical) == parsed


def test_the_default_tag_can_be_left_out() -> None:
    assert reference.parse("nginx", default_tag=False).tag is None


@pytest.mark.parametrize(
    "text",
    ["", ":", "a:", "a/", "/a", "a//b", "a:b:c", "a@b", "-a", "0a" * 32, "x/" + "a" * 300, "a b"],
)
def test_what_is_not_a_reference_is_refused(text: str) -> None:
    with pytest.raises(reference.InvalidReference):
        reference.parse(text)


def test_upper_case_is_refused_in_dockers_words() -> None:
    with pytest.raises(reference.InvalidReference) as raised:
        reference.parse("Demo:v1")
    assert str(raised.value) == (
        "invalid reference format: repository name (Demo) must be lowercase"
    )


@given(st.text(alphabet="aA0./:@-_[]", max_size=40) | st.text(max_size=40))
def test_any_text_is_refused_or_reads_back_the_same(text: str) -> None:
    try:
        parsed = reference.parse(text)
    except reference.InvalidReference:
        return
    assert reference.parse(str(parsed)) == parsed
    assert reference.parse(parsed.familiar) == parsed
