"""Host names of registries, as the documentation has them."""

from __future__ import annotations

import pytest

from labs_helpers.defaults import registry, registry_of


@pytest.mark.parametrize(
    ("account", "region"), [("123456789012", "us-west-2"), ("000000000001", "cn-north-1")]
)
def test_a_registry_is_found_by_the_host_name_that_it_has(account: str, region: str) -> None:
    assert registry_of(registry(account, region)) == (account, region)


@pytest.mark.parametrize(
    "host",
    [
        "123456789012.dkr-ecr.us-west-2.on.aws",
        "123456789012.dkr.ecr-fips.us-west-2.amazonaws.com",
        "123456789012.DKR.ECR.us-west-2.amazonaws.com",
    ],
)
def test_other_endpoints_of_a_registry_name_the_same_registry(host: str) -> None:
    assert registry_of(host) == ("123456789012", "us-west-2")


@pytest.mark.parametrize(
    "host",
    [
        "123456789012.dkr.ecr.us-west-2.amazonaws.con",
        "12345678901.dkr.ecr.us-west-2.amazonaws.com",
        "123456789012.dkr.ecr.us-west-2.amazonaws.com.evil.example",
        "123456789012.dkr.ecr..amazonaws.com",
        "registry-1.docker.io",
        "",
    ],
)
def test_another_host_names_no_registry(host: str) -> None:
    assert registry_of(host) is None
