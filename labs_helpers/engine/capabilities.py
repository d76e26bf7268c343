"""The capabilities of programs: Docker's default set or fewer.

Numbers: https://github.com/torvalds/linux/blob/v6.12/include/uapi/linux/capability.h. Docker's set:
https://github.com/moby/moby/blob/v28.2.2/oci/caps/defaults.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import NotSupported

CAPABILITIES: Mapping[str, int] = {
    **{"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "FSETID": 4, "KILL": 5, "SETGID": 6},
    **{"SETUID": 7, "SETPCAP": 8, "NET_BIND_SERVICE": 10, "NET_RAW": 13, "SYS_CHROOT": 18},
}
"""Docker's default set without MKNOD, AUDIT_WRITE and SETFCAP: name without CAP_ -> number."""

OF_BUILDS: Mapping[str, int] = {**CAPABILITIES, "MKNOD": 27, "SETFCAP": 31}
"""Those of a RUN, which may make devices for a layer. The image's files are mounted so that no
device of theirs can be opened."""

NAMES = frozenset(
    {"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"}
    | {"SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW"}
    | {"IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT"}
    | {"SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD"}
    | {"LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG"}
    | {"WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"}
)
"""All capabilities of Linux: https://man7.org/linux/man-pages/man7/capabilities.7.html"""


def capabilities(host: Mapping[str, Any], kind: str) -> list[int]:
    """The capabilities of a container's programs. Raises NotSupported for one beyond Docker's."""
    dropped = {capability(name) for name in host.get("CapDrop") or []}
    for name in host.get("CapAdd") or []:
        if capability(name) not in {*CAPABILITIES}:
            raise NotSupported(
                f"the labs engine refuses --cap-add {name}: a container gets Docker's default"
                " capabilities at most"
            )
    kept = [] if "ALL" in dropped else [n for c, n in CAPABILITIES.items() if c not in dropped]
    kept += [CAPABILITIES[capability(name)] for name in host.get("CapAdd") or []]
    if kind == "host":
        kept = [number for number in kept if number != CAPABILITIES["NET_RAW"]]
    return sorted(set(kept))


def capability(name: str) -> str:
    """The name of a capability in capitals, without CAP_."""
    return str(name).upper().removeprefix("CAP_")
