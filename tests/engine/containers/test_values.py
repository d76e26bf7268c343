"""What dockerd refuses when a container is made, and texts that no program can be given.

Members of the kinds D5 and D12 of attacks.md: each was a 500 of the engine's own once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labs_helpers.engine.containers import ports, spec, values, volumes
from labs_helpers.engine.containers.stopping import signal_number
from labs_helpers.engine.errors import BadRequest
from labs_helpers.engine.image_config import settings

REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"Env": ["=x"]}, {}, "invalid environment variable: =x"),
    ({"Env": [""]}, {}, "invalid environment variable: "),
    (
        {"WorkingDir": "rel"},
        {},
        "the working directory 'rel' is invalid, it needs to be an absolute path",
    ),
    ({"Healthcheck": {"Interval": 1}}, {}, "Interval in Healthcheck cannot be less than 1ms"),
    ({"Healthcheck": {"Retries": -5}}, {}, "Retries in Healthcheck cannot be negative"),
    ({}, {"ShmSize": -1}, "SHM size can not be less than 0"),
    ({}, {"Tmpfs": {"": ""}}, "invalid mount path: '' mount path must be absolute"),
    ({}, {"Tmpfs": {"rel": ""}}, "invalid mount path: 'rel' mount path must be absolute"),
    ({}, {"Tmpfs": {"/../..": ""}}, "invalid specification: destination can't be '/'"),
]
"""Configuration, HostConfig, and the answer of dockerd 20.10 on 2026-11-29."""

MOUNTS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"Volumes": {"rel": {}}},
        {},
        "invalid volume specification: 'rel': invalid mount config for type \"volume\": invalid"
        " mount path: 'rel' mount path must be absolute",
    ),
    (
        {},
        {"Binds": ["/tmp:/x/.."]},
        "invalid volume specification: '/tmp:/x/..': invalid mount config for type \"bind\":"
        " invalid specification: destination can't be '/'",
    ),
    (
        {},
        {"Mounts": [{"Type": "volume", "Target": "/"}]},
        "invalid mount config for type \"volume\": invalid specification: destination can't be '/'",
    ),
    (
        {},
        {"Mounts": [{"Type": "volume", "Target": ""}]},
        'invalid mount config for type "volume": field Target must not be empty',
    ),
    (
        {},
        {"Mounts": [{"Type": "bind", "Target": "/x"}]},
        'invalid mount config for type "bind": field Source must not be empty',
    ),
]
"""Configuration, HostConfig, and the words of dockerd 29.7.2: daemon/volume/mounts of moby."""


@pytest.mark.parametrize(("config", "host", "words"), REFUSED)
def test_what_no_container_can_have_is_refused(
    config: dict[str, Any], host: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        values.check(config, host)
    assert str(refused.value) == words


@pytest.mark.parametrize(("config", "host", "words"), MOUNTS)
def test_a_mount_is_refused_in_dockers_words(
    config: dict[str, Any], host: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(BadRequest) as refused:
        volumes.requested(config, host, {}, tmp_path)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("config", "host"),
    [
        *(({"Env": ["A=\0"]}, {}), ({"Cmd": ["a\0b"]}, {}), ({"Volumes": {"/a\0": {}}}, {})),
        *(({"User": "\0"}, {}), ({"Hostname": "\0"}, {}), ({"WorkingDir": "/\0"}, {})),
        *(({}, {"Binds": ["/a\0:/b"]}), ({}, {"Tmpfs": {"/x": "size=\0"}})),
        ({}, {"Mounts": [{"Type": "bind", "Source": "\0", "Target": "/x"}]}),
    ],
)
def test_a_null_byte_is_refused(config: dict[str, Any], host: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="has a null byte"):
        values.check(config, host)


@pytest.mark.parametrize(
    "label",
    [
        *("a", "1.2.3.4:999999=127.0.0.1:1", "x:1=127.0.0.1:1", "1.2.3.4:1=127.0.0.1:99999", ",,"),
        f"1.2.3.4:{'9' * 5000}=127.0.0.1:1",
        "1.2.3.4:0=127.0.0.1:1",
    ],
    ids=lambda label: label[:30],
)
def test_a_relay_is_an_address_and_ports(label: str) -> None:
    with pytest.raises(BadRequest, match="its form is"):
        spec.relays({spec.RELAYS: label}, "own")


@pytest.mark.parametrize("digits", ["9" * 5000, "99999", "0"])
def test_a_number_of_any_length_is_a_port_or_none(digits: str) -> None:
    """Python makes no integer of more than 4300 digits, and raises ValueError."""
    with pytest.raises(BadRequest, match="invalid port specification"):
        ports.requested({digits: []}, (), publish_all=False)


def test_settings_of_an_image_have_gos_empty_values() -> None:
    image = {"config": {"env": ["A=1", None], "Cmd": "ls", "Labels": {"a": None}}}
    assert settings(image) == {"Env": ["A=1", ""], "Cmd": ["ls"], "Labels": {"a": ""}}
    assert settings({}) == settings({"config": None}) == {}


@pytest.mark.parametrize(
    ("text", "number"),
    [("15", 15), ("TERM", 15), ("SIGRTMIN", 34), ("rtmin+3", 37), ("SIGRTMAX-1", 63)],
)
def test_a_signal_has_its_number(text: str, number: int) -> None:
    """Images whose first process is systemd stop with SIGRTMIN+3."""
    assert signal_number(text) == number


@pytest.mark.parametrize("text", ["NOPE", "-1", "65", "9" * 5000, "SIGRTMIN+31", "RTMAX+1", ""])
def test_a_signal_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="invalid signal"):
        signal_number(text)
