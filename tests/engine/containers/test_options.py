"""Every field of a new container is carried out, refused by name, or changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.engine.containers import options
from labs_helpers.engine.errors import NotSupported

CONFIG = frozenset(
    {"Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr", "Tty"}
    | {"ExposedPorts", "OpenStdin", "StdinOnce", "Env", "Cmd", "Healthcheck", "ArgsEscaped"}
    | {"Image", "Volumes", "WorkingDir", "Entrypoint", "NetworkDisabled", "MacAddress", "OnBuild"}
    | {"Labels", "StopSignal", "StopTimeout", "Shell", "HostConfig", "NetworkingConfig"}
)
HOST = frozenset(
    {"CpuShares", "Memory", "CgroupParent", "BlkioWeight", "BlkioWeightDevice", "CpuQuota"}
    | {"BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "CpuPeriod", "Sysctls"}
    | {"BlkioDeviceWriteIOps", "CpuRealtimePeriod", "CpuRealtimeRuntime", "CpusetCpus", "Isolation"}
    | {"CpusetMems", "Devices", "DeviceCgroupRules", "DeviceRequests", "KernelMemoryTCP", "Runtime"}
    | {"MemoryReservation", "MemorySwap", "MemorySwappiness", "NanoCpus", "OomKillDisable", "Init"}
    | {"PidsLimit", "Ulimits", "CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth"}
    | {"Binds", "ContainerIDFile", "LogConfig", "NetworkMode", "PortBindings", "RestartPolicy"}
    | {"AutoRemove", "VolumeDriver", "VolumesFrom", "Mounts", "ConsoleSize", "Annotations"}
    | {"CapAdd", "CapDrop", "CgroupnsMode", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts"}
    | {"GroupAdd", "IpcMode", "Cgroup", "Links", "OomScoreAdj", "PidMode", "Privileged", "ShmSize"}
    | {"PublishAllPorts", "ReadonlyRootfs", "SecurityOpt", "StorageOpt", "Tmpfs", "UTSMode"}
    | {"UsernsMode", "MaskedPaths", "ReadonlyPaths"}
)
"""The fields of API 1.47: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerCreate"""


def test_every_field_of_docker_s_api_has_one_place() -> None:
    for fields, tables in (
        (CONFIG, (options.DONE, options.REFUSED, options.MOOT)),
        (HOST, (options.DONE_OF_HOST, options.REFUSED_OF_HOST, options.MOOT_OF_HOST)),
    ):
        places = {name: sum(name in table for table in tables) for name in fields}
        assert {name for name, count in places.items() if count != 1} == set()


@pytest.mark.parametrize("name", sorted(options.REFUSED))
def test_a_refused_field_is_named(name: str) -> None:
    with pytest.raises(NotSupported, match=f"refuses {name}=x: "):
        options.check({"Image": "box", name: "x"})


@pytest.mark.parametrize("name", sorted(options.REFUSED_OF_HOST))
def test_a_refused_field_of_the_host_is_named(name: str) -> None:
    value: Any = {"Type": "syslog"} if name == "LogConfig" else "x"
    with pytest.raises(NotSupported, match=rf"refuses HostConfig\.{name}="):
        options.check({"Image": "box", "HostConfig": {name: value}})


@pytest.mark.parametrize("value", [None, "", 0, False, []])
def test_a_value_that_asks_for_nothing_is_accepted(value: object) -> None:
    fields = dict.fromkeys(set(options.REFUSED_OF_HOST) - {"MaskedPaths", "ReadonlyPaths"}, value)
    options.check({"Image": "box", "HostConfig": fields})
