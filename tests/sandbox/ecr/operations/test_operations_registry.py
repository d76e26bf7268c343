"""The registry as a whole by the API: tokens, and everything that is only kept."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from labs_helpers.sandbox.ecr import tokens
from labs_helpers.sandbox.ecr.errors import TokenExpired
from labs_helpers.sandbox.ecr.repositories import Registry
from tests.policies import policy
from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, OTHER_ACCOUNT, REGION, Ecr


def test_a_token_is_random_the_callers_and_twelve_hours_long(ecr: Ecr) -> None:
    (first,) = ecr("GetAuthorizationToken")["authorizationData"]
    (second,) = ecr("GetAuthorizationToken")["authorizationData"]
    assert first["proxyEndpoint"] == f"https://{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    assert first["expiresAt"] == (ecr.clock.now() + timedelta(hours=12)).timestamp()
    assert first["authorizationToken"] != second["authorizationToken"]
    user, _, password = base64.b64decode(first["authorizationToken"]).decode().partition(":")
    registry = Registry(ACCOUNT, REGION)
    assert user == "AWS"
    assert tokens.verify(ecr.store, password, registry) == ecr.caller
    ecr.clock.advance(timedelta(hours=12))
    with pytest.raises(TokenExpired):
        tokens.verify(ecr.store, password, registry)


def test_tokens_are_given_for_each_registry_asked_for(ecr: Ecr) -> None:
    data = ecr("GetAuthorizationToken", registryIds=[OTHER_ACCOUNT, ACCOUNT])["authorizationData"]
    assert [each["proxyEndpoint"][8:20] for each in data] == [OTHER_ACCOUNT, ACCOUNT]


def test_a_registry_starts_with_nothing_set(ecr: Ecr) -> None:
    assert ecr("DescribeRegistry") == {
        "registryId": ACCOUNT,
        "replicationConfiguration": {"rules": []},
    }
    assert ecr("GetRegistryScanningConfiguration") == {
        "registryId": ACCOUNT,
        "scanningConfiguration": {"scanType": "BASIC", "rules": []},
    }
    assert ecr.error("GetRegistryPolicy") == (
        "RegistryPolicyNotFoundException",
        f"Registry policy does not exist in the registry with id '{ACCOUNT}'",
    )


def test_a_registry_policy_is_kept_given_and_removed(ecr: Ecr) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"},
        "Action": ["ecr:ReplicateImage"],
        "Resource": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*",
    }
    text = policy(statement)
    ecr("PutRegistryPolicy", policyText=text)
    assert ecr("GetRegistryPolicy")["policyText"] == text
    assert ecr("DeleteRegistryPolicy")["policyText"] == text
    assert ecr.error("DeleteRegistryPolicy")[0] == "RegistryPolicyNotFoundException"
    statement["Action"] = ["ecr:PutImage"]
    assert ecr.error("PutRegistryPolicy", policyText=json.dumps({"Statement": statement})) == (
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: "
        "'Invalid registry policy provided' (Statement.Action[0]: Policy has invalid action)",
    )


def test_replication_rules_are_kept_but_not_to_oneself(ecr: Ecr) -> None:
    rules = [{"destinations": [{"region": "eu-west-1", "registryId": ACCOUNT}]}]
    ecr("PutReplicationConfiguration", replicationConfiguration={"rules": rules})
    assert ecr("DescribeRegistry")["replicationConfiguration"] == {"rules": rules}
    rules[0]["destinations"][0]["region"] = REGION
    assert ecr.error("PutReplicationConfiguration", replicationConfiguration={"rules": rules}) == (
        "InvalidParameterException",
        "Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: "
        "'Replication destination cannot be the same as the source registry'",
    )


def test_nothing_is_copied_by_a_replication_rule(demo: Ecr) -> None:
    rules = [{"destinations": [{"region": "eu-west-1", "registryId": ACCOUNT}]}]
    demo("PutReplicationConfiguration", replicationConfiguration={"rules": rules})
    demo.push("demo", "v1")
    demo.region = "eu-west-1"
    assert demo("DescribeRepositories")["repositories"] == []


def test_the_registrys_scanning_rules_say_which_repositories_are_scanned(demo: Ecr) -> None:
    demo("CreateRepository", repositoryName="team/app")
    filters = [{"filter": "team/*", "filterType": "WILDCARD"}]
    rule = {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}
    demo("PutRegistryScanningConfiguration", scanType="BASIC", rules=[rule])
    answer = demo(
        "BatchGetRepositoryScanningConfiguration", repositoryNames=["demo", "team/app", "none"]
    )
    assert [
        (each["repositoryName"], each["scanFrequency"], each["appliedScanFilters"])
        for each in answer["scanningConfigurations"]
    ] == [("demo", "MANUAL", []), ("team/app", "SCAN_ON_PUSH", filters)]
    assert answer["failures"] == [
        {
            "repositoryName": "none",
            "failureCode": "REPOSITORY_NOT_FOUND",
            "failureReason": "REPOSITORY_NOT_FOUND",
        }
    ]


def test_basic_scanning_is_not_continuous(ecr: Ecr) -> None:
    rule = {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": []}
    code, _ = ecr.error("PutRegistryScanningConfiguration", scanType="BASIC", rules=[rule])
    assert code == "InvalidParameterException"
    ecr("PutRegistryScanningConfiguration", scanType="ENHANCED", rules=[rule])


def test_account_settings_have_known_names_and_values(ecr: Ecr) -> None:
    assert ecr("GetAccountSetting", name="BLOB_MOUNTING")["value"] == "ENABLED"
    ecr("PutAccountSetting", name="BLOB_MOUNTING", value="DISABLED")
    assert ecr("GetAccountSetting", name="BLOB_MOUNTING")["value"] == "DISABLED"
    assert ecr.error("GetAccountSetting", name="OTHER")[0] == "InvalidParameterException"
    code, _ = ecr.error("PutAccountSetting", name="BLOB_MOUNTING", value="PERHAPS")
    assert code == "InvalidParameterException"


def test_a_pull_through_cache_rule_is_kept_changed_and_removed(ecr: Ecr) -> None:
    made = ecr(
        "CreatePullThroughCacheRule",
        ecrRepositoryPrefix="ecr-public",
        upstreamRegistryUrl="public.ecr.aws",
    )
    assert made["upstreamRegistry"] == "ecr-public"
    ask = {"ecrRepositoryPrefix": "ecr-public"}
    again = {**ask, "upstreamRegistryUrl": "public.ecr.aws"}
    assert (
        ecr.error("CreatePullThroughCacheRule", **again)[0]
        == "PullThroughCacheRuleAlreadyExistsException"
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/cache"
    ecr("UpdatePullThroughCacheRule", **ask, customRoleArn=role)
    (rule,) = ecr("DescribePullThroughCacheRules")["pullThroughCacheRules"]
    assert rule["customRoleArn"] == role
    ecr("DeletePullThroughCacheRule", **ask)
    for operation in ("DeletePullThroughCacheRule", "UpdatePullThroughCacheRule"):
        assert ecr.error(operation, **ask)[0] == "PullThroughCacheRuleNotFoundException"
    code, _ = ecr.error("DescribePullThroughCacheRules", ecrRepositoryPrefixes=["ecr-public"])
    assert code == "PullThroughCacheRuleNotFoundException"


def test_an_upstream_is_one_that_ecr_knows_and_has_its_secret(ecr: Ecr) -> None:
    """Reported as F10."""
    rule = {"ecrRepositoryPrefix": "cache"}
    url = "harbor.example.com"
    assert ecr.error("CreatePullThroughCacheRule", **rule, upstreamRegistryUrl=url) == (
        "UnsupportedUpstreamRegistryException",
        "The upstream registry URL harbor.example.com is invalid. Specify a valid upstream "
        "registry URL and try again",
    )
    for url in ("registry-1.docker.io", "ghcr.io", "https://registry-1.docker.io"):
        assert ecr.error("CreatePullThroughCacheRule", **rule, upstreamRegistryUrl=url) == (
            "UnsupportedUpstreamRegistryException",
            "The specified upstream registry requires authentication. Specify a valid Secrets "
            "Manager ARN containing the upstream registry credentials.",
        )


SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:ecr-pullthroughcache/hub-AbCdEf"
UPSTREAMS = {
    "ecr": ("210987654321.dkr.ecr.eu-central-1.amazonaws.com", False),
    "ecr-public": ("public.ecr.aws", False),
    "quay": ("quay.io", False),
    "k8s": ("registry.k8s.io", False),
    "docker-hub": ("registry-1.docker.io", True),
    "github-container-registry": ("ghcr.io", True),
    "azure-container-registry": ("labs.azurecr.io", True),
    "gitlab-container-registry": ("registry.gitlab.com", True),
    "chainguard": ("cgr.dev", True),
}
"""The URL of each upstream, and whether its rule needs a secret.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
"""


def test_the_upstreams_are_those_of_the_model(ecr: Ecr) -> None:
    shape = ecr.service.model.shape_for("UpstreamRegistry")
    assert set(UPSTREAMS) == set(shape.metadata["enum"])


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_every_upstream_has_its_rules(ecr: Ecr, upstream: str) -> None:
    url, needs_secret = UPSTREAMS[upstream]
    asked = {"ecrRepositoryPrefix": "cache", "upstreamRegistryUrl": url}
    other = "quay" if upstream != "quay" else "k8s"
    code, _ = ecr.error("CreatePullThroughCacheRule", **asked, upstreamRegistry=other)
    assert code == "UnsupportedUpstreamRegistryException"
    ecr.elsewhere = replace(ecr.elsewhere, secret=lambda *_: "{}")
    if needs_secret:
        code, message = ecr.error("CreatePullThroughCacheRule", **asked)
        assert code == "UnsupportedUpstreamRegistryException"
        assert "requires authentication" in message
        asked["credentialArn"] = SECRET
    made = ecr("CreatePullThroughCacheRule", **asked, upstreamRegistry=upstream)
    assert (made["upstreamRegistry"], made["upstreamRegistryUrl"]) == (upstream, url)


def test_a_creation_template_is_kept_changed_and_removed(ecr: Ecr) -> None:
    made = ecr(
        "CreateRepositoryCreationTemplate", prefix="team", appliedFor=["PULL_THROUGH_CACHE"]
    )["repositoryCreationTemplate"]
    assert made["imageTagMutability"] == "MUTABLE"
    again = {"prefix": "team", "appliedFor": ["REPLICATION"]}
    code, _ = ecr.error("CreateRepositoryCreationTemplate", **again)
    assert code == "TemplateAlreadyExistsException"
    ecr.clock.advance(timedelta(minutes=1))
    ecr("UpdateRepositoryCreationTemplate", prefix="team", description="of the team")
    (now,) = ecr("DescribeRepositoryCreationTemplates")["repositoryCreationTemplates"]
    assert now["description"] == "of the team"
    assert now["updatedAt"] == now["createdAt"] + 60
    ecr("DeleteRepositoryCreationTemplate", prefix="team")
    code, _ = ecr.error("DeleteRepositoryCreationTemplate", prefix="team")
    assert code == "TemplateNotFoundException"
    code, _ = ecr.error("CreateRepositoryCreationTemplate", **again, repositoryPolicy="x")
    assert code == "InvalidParameterException"


def test_a_rule_needs_a_secret_that_exists(ecr: Ecr) -> None:
    asked = {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    code, _ = ecr.error("CreatePullThroughCacheRule", **asked, credentialArn=SECRET)
    assert code == "SecretNotFoundException"
    ecr.elsewhere = replace(ecr.elsewhere, secret=lambda *_: "{}")
    made = ecr("CreatePullThroughCacheRule", **asked, credentialArn=SECRET)
    assert made["credentialArn"] == SECRET


def test_a_rule_is_validated_at_its_upstream(ecr: Ecr) -> None:
    code, _ = ecr.error("ValidatePullThroughCacheRule", ecrRepositoryPrefix="none")
    assert code == "PullThroughCacheRuleNotFoundException"
    ecr(
        "CreatePullThroughCacheRule",
        ecrRepositoryPrefix="quay",
        upstreamRegistryUrl="quay.io",
    )
    said = {"why": ""}
    ecr.elsewhere = replace(ecr.elsewhere, upstream_failure=lambda rule, *_: said["why"])
    answer = ecr("ValidatePullThroughCacheRule", ecrRepositoryPrefix="quay")
    assert (answer["isValid"], answer["upstreamRegistryUrl"]) == (True, "quay.io")
    assert "failure" not in answer
    said["why"] = "wrong password"
    answer = ecr("ValidatePullThroughCacheRule", ecrRepositoryPrefix="quay")
    assert (answer["isValid"], answer["failure"]) == (False, "wrong password")
