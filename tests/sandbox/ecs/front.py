"""A load balancer in front of services, for the tests of ECS."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.sandbox.ecs.task_room import PATIENCE, Room

QUICK = {
    "Protocol": "HTTP",
    "Port": 80,
    "TargetType": "ip",
    "HealthCheckPath": "/index.html",
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 2,
    "UnhealthyThresholdCount": 2,
}
"""A target group that finds an unhealthy target soon."""


@dataclass
class Front:
    """An Application Load Balancer of a name, with one listener on port 80 and two target groups.

    The listener forwards to the first, which is blue.
    """

    room: Room
    name: str

    def __post_init__(self) -> None:
        elb, ec2 = self.elb, self.room.client("ec2")
        subnets = ec2.describe_subnets()["Subnets"]
        made = elb.create_load_balancer(
            Name=self.name, Subnets=[each["SubnetId"] for each in subnets[:2]]
        )
        self.arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        self.vpc = subnets[0]["VpcId"]
        self.blue, self.green = self.group("blue"), self.group("green")
        self.listener = self.listen(80, self.blue)
        rules = elb.describe_rules(ListenerArn=self.listener)["Rules"]
        self.rule = str(rules[0]["RuleArn"])

    @property
    def elb(self) -> Any:
        return self.room.client("elbv2")

    def group(self, suffix: str, **changed: Any) -> str:
        made = self.elb.create_target_group(
            **{"Name": f"{self.name}-{suffix}", "VpcId": self.vpc, **QUICK, **changed}
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def listen(self, port: int, group: str) -> str:
        made = self.elb.create_listener(
            LoadBalancerArn=self.arn,
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def balancers(self, group: str = "", **advanced: str) -> list[dict[str, Any]]:
        """loadBalancers of a service that serves a page on port 8080."""
        found: dict[str, Any] = {
            "targetGroupArn": group or self.blue,
            "containerName": "app",
            "containerPort": 8080,
        }
        return [found | ({"advancedConfiguration": advanced} if advanced else {})]

    @property
    def address(self) -> str:
        found = self.elb.describe_load_balancers(LoadBalancerArns=[self.arn])
        return str(found["LoadBalancers"][0]["DNSName"])

    def health(self, group: str) -> list[str]:
        found = self.elb.describe_target_health(TargetGroupArn=group)
        return [each["TargetHealth"]["State"] for each in found["TargetHealthDescriptions"]]

    def weights(self) -> dict[str, int]:
        """Target group -> weight, of the listener's default rule."""
        rule = self.elb.describe_rules(RuleArns=[self.rule])["Rules"][0]
        listed = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        return {each["TargetGroupArn"]: each["Weight"] for each in listed}

    def visit(self, times: int = 1, path: str = "/index.html", address: str = "") -> Counter[str]:
        """What visitors of the load balancer meet: page, or HTTP status -> how many."""
        return Counter(get(f"http://{address or self.address}{path}").strip() for _ in range(times))

    def once_met(self, page: str, times: int = 4) -> None:
        """Wait until every one of some visitors meets a page."""
        deadline = time.monotonic() + PATIENCE
        while (met := self.visit(times)) != {page: times}:
            assert time.monotonic() < deadline, met
            time.sleep(0.1)


def get(url: str) -> str:
    """The body, or the status of a failure; "refused" where nobody listens."""
    request = urllib.request.Request(url)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.code)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            return "refused"
        raise


def is_open(address: str) -> bool:
    """Whether anybody listens at an address."""
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True
