"""Targets of a load balancer, and what a load balancer of the sandbox does not do."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers import pages
from labs_helpers.control_client import Control
from labs_helpers.errors import LabError
from labs_helpers.workspace import Workspace
from tests.policies import allow
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.sandbox_process import Running

GROUP = {"Protocol": "HTTP", "Port": 80, "TargetType": "ip"}
HERE = [{"Id": "127.0.0.1", "Port": 8080}]


@pytest.fixture(scope="module")
def elb(sandbox: Running) -> Any:
    return sandbox.client("elbv2")


@pytest.fixture(scope="module")
def balancer(sandbox: Running, elb: Any) -> str:
    subnets = sandbox.client("ec2").describe_subnets()["Subnets"][:2]
    ids = [each["SubnetId"] for each in subnets]
    found = elb.create_load_balancer(Name="front", Subnets=ids)["LoadBalancers"][0]
    return str(found["LoadBalancerArn"])


@pytest.fixture(scope="module")
def vpc(sandbox: Running) -> str:
    return str(sandbox.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


@pytest.fixture(scope="module")
def group(elb: Any, vpc: str) -> str:
    return make(elb, vpc, "web")


def make(elb: Any, vpc: str, name: str, **changed: Any) -> str:
    made = elb.create_target_group(**{"Name": name, "VpcId": vpc, **GROUP, **changed})
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def health(elb: Any, group: str, **asked: Any) -> list[tuple[int, str, str]]:
    found = elb.describe_target_health(TargetGroupArn=group, **asked)
    return [
        (
            each["Target"]["Port"],
            each["TargetHealth"]["State"],
            each["TargetHealth"].get("Reason", ""),
        )
        for each in found["TargetHealthDescriptions"]
    ]


def forward(group: str) -> list[dict[str, Any]]:
    return [{"Type": "forward", "TargetGroupArn": group}]


def test_two_ports_of_an_address_are_two_targets(elb: Any, vpc: str) -> None:
    group = make(elb, vpc, "two")
    elb.register_targets(TargetGroupArn=group, Targets=[*HERE, {"Id": "127.0.0.1"}])
    unused = ("unused", "Target.NotInUse")
    assert health(elb, group) == [(8080, *unused), (80, *unused)]
    missing = health(elb, group, Targets=[{"Id": "127.0.0.1", "Port": 81}, *HERE])
    assert missing == [(81, "unused", "Target.NotRegistered"), (8080, *unused)]


def test_a_target_of_a_group_that_a_listener_uses_waits_for_its_check(
    elb: Any, vpc: str, balancer: str
) -> None:
    group = make(elb, vpc, "used")
    elb.register_targets(TargetGroupArn=group, Targets=HERE)
    listener = elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=90, DefaultActions=forward(group)
    )["Listeners"][0]["ListenerArn"]
    # no runner of this sandbox checks
    assert health(elb, group) == [(8080, "initial", "Elb.RegistrationInProgress")]
    elb.deregister_targets(TargetGroupArn=group, Targets=HERE)
    assert health(elb, group) == [(8080, "draining", "Target.DeregistrationInProgress")]
    elb.delete_listener(ListenerArn=listener)


def test_the_dns_name_is_the_address_of_the_lowest_listener(
    elb: Any, group: str, balancer: str
) -> None:
    def name() -> str:
        found = elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
        return str(found[0]["DNSName"])

    assert name().endswith(".elb.amazonaws.com")
    made = []
    for port in (91, 80):
        found = elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=forward(group)
        )
        made.append(found["Listeners"][0]["ListenerArn"])
    both = name()
    assert both.startswith("127.0.0.1:")
    elb.delete_listener(ListenerArn=made[1])
    other = name()
    assert other.startswith("127.0.0.1:")
    assert other != both
    elb.delete_listener(ListenerArn=made[0])
    assert name().endswith(".elb.amazonaws.com")


@pytest.mark.parametrize(
    ("name", "changed", "targets", "code", "says"),
    [
        ("far", {}, [{"Id": "10.0.0.5"}], "NotInSandbox", "reaches ports of 127.0.0.1 only"),
        ("named", {}, [{"Id": "shop.example.com"}], "ValidationError", "not a valid IPv4 address"),
        ("high", {}, [{"Id": "127.0.0.1", "Port": 70000}], "ValidationError", "65535"),
        (
            "machines",
            {"TargetType": "instance"},
            [{"Id": "i-0123456789abcdef0"}],
            "NotInSandbox",
            "make the target group with --target-type ip",
        ),
    ],
)
def test_only_what_is_on_this_machine_can_be_a_target(
    elb: Any,
    vpc: str,
    name: str,
    changed: dict[str, Any],
    targets: list[Any],
    code: str,
    says: str,
) -> None:
    group = make(elb, vpc, name, **changed)
    found = refusal_of(elb, "register_targets", TargetGroupArn=group, Targets=targets)
    assert found[1] == code
    assert says in found[2]


def test_what_is_not_there_is_refused_as_aws_refuses(elb: Any, group: str) -> None:
    other = f"{group[:-16]}{'0' * 16}"
    for operation in ("register_targets", "deregister_targets", "describe_target_health"):
        found = refusal_of(elb, operation, TargetGroupArn=other, Targets=HERE)
        assert found[1:] == ("TargetGroupNotFound", "One or more target groups not found")
    found = refusal_of(elb, "deregister_targets", TargetGroupArn=group, Targets=HERE)
    assert found[1] == "InvalidTarget"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"Protocol": "HTTPS", "Port": 443}, "Protocol"),
        ({"Protocol": "TCP"}, "Protocol"),
        ({"Certificates": [{"CertificateArn": "arn:aws:acm:us-west-2:1:certificate/c"}]}, "HTTP"),
        (
            {"DefaultActions": [{"Type": "authenticate-oidc", "Order": 1}]},
            "forwards, answers or redirects",
        ),
    ],
)
def test_a_listener_speaks_http_and_nothing_else(
    elb: Any, group: str, balancer: str, changed: dict[str, Any], says: str
) -> None:
    asked = {
        "LoadBalancerArn": balancer,
        "Protocol": "HTTP",
        "Port": 99,
        "DefaultActions": forward(group),
        **changed,
    }
    found = refusal_of(elb, "create_listener", **asked)
    assert found[1] == "NotInSandbox"
    assert says in found[2]


def test_a_lab_opens_a_load_balancer_by_name(
    sandbox: Running, elb: Any, group: str, balancer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", sandbox.learner["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", sandbox.learner["secret_access_key"])
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    control = Control(Workspace(sandbox.home))
    assert pages.balancer_page("none", None, control, {}) is None
    with pytest.raises(LabError, match="its ports are: none"):
        pages.balancer_page("front", None, control, {})
    listeners = [
        elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=forward(group)
        )["Listeners"][0]["ListenerArn"]
        for port in (80, 8081)
    ]
    places = control.ask("GET", "balancing")["balancers"][0]["listeners"]
    for port, place in ((None, places[0]), (80, places[0]), (8081, places[1])):
        shown = pages.balancer_page("front", port, control, {})
        assert shown is not None
        assert f'href="http://{place["address"]}/"' in shown.html
    with pytest.raises(LabError, match="its ports are: 80, 8081"):
        pages.balancer_page("front", 443, control, {})
    for each in listeners:
        elb.delete_listener(ListenerArn=each)


def test_iam_decides_who_registers_targets(sandbox: Running, elb: Any, vpc: str) -> None:
    group = make(elb, vpc, "guarded")
    person = People(sandbox).make("watcher", allow("elasticloadbalancing:Describe*"))
    said = person.denied("elbv2", "register_targets", TargetGroupArn=group, Targets=HERE)
    assert "elasticloadbalancing:RegisterTargets" in said
    assert health(elb, group) == []
