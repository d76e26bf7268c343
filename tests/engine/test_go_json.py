"""The engine's bodies, read as dockerd reads them: a value of a wrong type is named.

The words are those of dockerd 20.10, which each case was sent to on 2026-11-29, behind the
"invalid JSON: " of later versions. Members of the kinds D5 and D12 of attacks.md.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from labs_helpers.engine.api import bodies
from labs_helpers.engine.errors import BadRequest
from labs_helpers.engine.go_json import Kind, decode, loads
from labs_helpers.engine.image_config import read_config

WRONG = [
    ({"Hostname": 1}, "number", "ContainerConfigWrapper.Hostname", "string"),
    ({"User": []}, "array", "ContainerConfigWrapper.User", "string"),
    ({"Tty": "x"}, "string", "ContainerConfigWrapper.Tty", "bool"),
    ({"ExposedPorts": ["a"]}, "array", "ContainerConfigWrapper.ExposedPorts", "nat.PortSet"),
    ({"ExposedPorts": {"80": 1}}, "number", "ContainerConfigWrapper.ExposedPorts", "struct {}"),
    ({"Env": 1}, "number", "ContainerConfigWrapper.Env", "[]string"),
    ({"Env": [1]}, "number", "ContainerConfigWrapper.Env", "string"),
    ({"Cmd": 1}, "number", "ContainerConfigWrapper.Cmd", "string"),
    ({"Cmd": [1]}, "array", "ContainerConfigWrapper.Cmd", "string"),
    ({"Entrypoint": {}}, "object", "ContainerConfigWrapper.Entrypoint", "string"),
    ({"Volumes": "x"}, "string", "ContainerConfigWrapper.Volumes", "map[string]struct {}"),
    ({"Labels": "x"}, "string", "ContainerConfigWrapper.Labels", "map[string]string"),
    ({"Labels": {"a": 1}}, "number", "ContainerConfigWrapper.Labels", "string"),
    ({"StopTimeout": True}, "bool", "ContainerConfigWrapper.StopTimeout", "int"),
    (
        {"Healthcheck": "x"},
        "string",
        "ContainerConfigWrapper.Healthcheck",
        "container.HealthConfig",
    ),
    ({"Healthcheck": {"Test": "x"}}, "string", "HealthConfig.Healthcheck.Test", "[]string"),
    (
        {"Healthcheck": {"Interval": "x"}},
        *("string", "HealthConfig.Healthcheck.Interval", "time.Duration"),
    ),
    ({"HostConfig": "x"}, "string", "ContainerConfigWrapper.HostConfig", "container.HostConfig"),
    ({"hostconfig": {"MEMORY": "x"}}, "string", "HostConfig.HostConfig.Memory", "int64"),
    (
        {"HostConfig": {"Memory": 10**30}},
        *(f"number {10**30}", "HostConfig.HostConfig.Memory", "int64"),
    ),
    ({"HostConfig": {"Memory": 1.5}}, "number 1.5", "HostConfig.HostConfig.Memory", "int64"),
    ({"HostConfig": {"Binds": 1}}, "number", "HostConfig.HostConfig.Binds", "[]string"),
    ({"HostConfig": {"CapDrop": 1}}, "number", "HostConfig.HostConfig.CapDrop", "string"),
    ({"HostConfig": {"Mounts": [1]}}, "number", "HostConfig.HostConfig.Mounts", "mount.Mount"),
    (
        {"HostConfig": {"Mounts": [{"Type": 1}]}},
        *("number", "Mount.HostConfig.Mounts.Type", "mount.Type"),
    ),
    (
        {"HostConfig": {"PortBindings": {"80/tcp": "x"}}},
        *("string", "HostConfig.HostConfig.PortBindings", "[]nat.PortBinding"),
    ),
    (
        {"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": 80}]}}},
        *("number", "PortBinding.HostConfig.PortBindings.HostPort", "string"),
    ),
    (
        {"HostConfig": {"ConsoleSize": [1, "x"]}},
        *("string", "HostConfig.HostConfig.ConsoleSize", "uint"),
    ),
    ({"HostConfig": {"Tmpfs": []}}, "array", "HostConfig.HostConfig.Tmpfs", "map[string]string"),
    (
        {"NetworkingConfig": {"EndpointsConfig": []}},
        *("array", "NetworkingConfig.NetworkingConfig.EndpointsConfig"),
        "map[string]*network.EndpointSettings",
    ),
]


@pytest.mark.parametrize(("body", "what", "place", "kind"), WRONG, ids=lambda each: str(each))
def test_a_value_of_a_wrong_type_is_named(
    body: dict[str, Any], what: str, place: str, kind: str
) -> None:
    """Reported as D5."""
    with pytest.raises(BadRequest) as refused:
        decode(body, bodies.CONTAINER)
    assert str(refused.value) == (
        f"invalid JSON: json: cannot unmarshal {what} into Go struct field {place} of type {kind}"
    )


@pytest.mark.parametrize("body", [bodies.CONTAINER, bodies.EXEC, bodies.EXEC_START, bodies.VOLUME])
def test_a_body_that_is_no_object_is_named(body: Kind) -> None:
    with pytest.raises(BadRequest, match=f"array into Go value of type {body.name}$"):
        decode([], body)
    assert decode(None, body) is None


def test_names_are_read_without_regard_to_case_and_null_is_nothing() -> None:
    given = {"image": "a", "ENV": ["A=1", None], "labels": {"x": None}, "Cmd": "ls", "Other": 1}
    assert decode({**given, "hostConfig": {"memory": 5, "Binds": None}}, bodies.CONTAINER) == {
        **{"Image": "a", "Env": ["A=1", ""], "Labels": {"x": ""}, "Cmd": ["ls"], "Other": 1},
        "HostConfig": {"Memory": 5, "Binds": None},
    }


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    assert loads(rb'{"a\ud800": ["\udfff", "\ud83d\ude00"]}') == {"a�": ["�", "\U0001f600"]}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_python_takes_for_a_number_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="looking for beginning of value"):
        loads(f'{{"a": {text}}}')


@pytest.mark.parametrize(
    "config",
    [
        *([], {"Env": 1}, {"Env": [1]}, {"Labels": []}, {"ExposedPorts": ["80"]}, {"User": 1}),
        *({"Healthcheck": {"Test": [1]}}, {"Volumes": []}, {"Cmd": {}}, {"StopTimeout": "x"}),
    ],
    ids=str,
)
def test_an_image_whose_settings_have_a_wrong_type_is_none(config: Any) -> None:
    encoded = json.dumps({"rootfs": {"diff_ids": []}, "config": config}).encode()
    with pytest.raises(ValueError, match="cannot unmarshal"):
        read_config(encoded)
