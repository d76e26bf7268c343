"""The receipt: what is left of the labs, and what it costs."""

from typing import Any

from labs_helpers.clean_up.found import Survey, Thing
from labs_helpers.explanations import receipt

SERVICE = Thing("service", "demo/web", True, "the sandbox is the labs'")
FOREIGN = Thing("role", "demo-app-build", False, "it was there before the labs")


class Container:
    """A container of a task: its port 80 is a port of this machine, and its port 81 is not."""

    def __init__(self, port: str) -> None:
        self.ports = {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": port}],
            "81/tcp": None,
        }


class Engine:
    """A Docker client whose engine runs two containers of tasks and none of pods."""

    containers: Any

    def __init__(self) -> None:
        self.containers = self

    def list(self, filters: dict[str, str]) -> list[Container]:
        return [Container("8001"), Container("8002")] if "ecs" in filters["label"] else []


def test_each_thing_has_its_cost_and_what_is_not_the_labs_stays() -> None:
    assert receipt(Survey((SERVICE, FOREIGN)), None).text.splitlines() == [
        "kind     name            while it stays",
        "-------  --------------  --------------------------------------",
        "service  demo/web        costs what its tasks cost, by the hour",
        "role     demo-app-build  stays: it was there before the labs",
    ]


def test_in_the_sandbox_the_containers_and_their_ports_are_counted() -> None:
    shown = receipt(Survey(()), Engine(), 1)
    assert shown.text == (
        "Nothing of the labs is left.\n\nContainers on this machine: 2 of tasks, 0 of pods. "
        "Ports that are open for them: 2; for load balancers: 1."
    )
    assert "2 of tasks" in shown.html


def test_what_could_not_be_looked_at_is_named() -> None:
    assert (
        "Not looked at: every role. AccessDenied"
        in receipt(Survey((), (("role", "AccessDenied"),)), None).text
    )
