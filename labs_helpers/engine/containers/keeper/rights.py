"""What a program of a container may do: user, capabilities, limits, system calls.

The capabilities are Docker's default set without CAP_MKNOD, CAP_AUDIT_WRITE and CAP_SETFCAP:
https://github.com/moby/moby/blob/v28.2.2/oci/caps/defaults.go. No program gains rights by a setuid
file (no_new_privs).
"""

from __future__ import annotations

import contextlib
import os
import resource

from . import scopes, seccomp
from . import syscalls as sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OPEN_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)
"""The limits of this machine, which the keeper raises for itself and gives back to programs."""


def mark(spec: dict[str, Any]) -> None:
    """Take the hard limits by which this process is known as a build's (runtime/isolated.py)."""
    for name, limit in spec["limits"]:
        resource.setrlimit(name, (limit, limit))


def give_up(spec: dict[str, Any]) -> None:
    """Become the specification's user, with its capabilities and limits. Raises OSError."""
    kept = frozenset(spec["capabilities"])
    sys.limit_capabilities(kept)
    limit = spec["processes"]
    if limit:
        # of this user in this user namespace; root of the machine has no such limit
        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        least = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_NPROC, (least, least))
    mark(spec)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, OPEN_FILES)
    if spec["users"] or not spec["user_namespace"]:
        os.setgroups(spec["groups"])
    os.setresgid(spec["gid"], spec["gid"], spec["gid"])
    os.setresuid(spec["uid"], spec["uid"], spec["uid"])
    with contextlib.suppress(OSError):  # another user has none left, and may not set any
        sys.set_capabilities(kept if spec["uid"] == 0 else frozenset())
    sys.prctl(sys.NO_NEW_PRIVILEGES, 1)
    if spec.get("alone"):
        scopes.enter()
    # root of a namespace with one user cannot become another
    is_alone = spec["user_namespace"] and not spec["users"]
    seccomp.install(pretend=is_alone and spec["uid"] == 0)
