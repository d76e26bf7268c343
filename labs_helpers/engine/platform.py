"""The platform of an image: operating system, architecture, variant.

Source: https://github.com/containerd/platforms (the normal form of Docker's ``--platform``)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from platform import machine

from .errors import BadRequest

_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
_VARIANTS = {"armhf": "v7", "armel": "v6"}
"""Architectures that are a variant of arm."""

_COMPONENT = "^[A-Za-z0-9_-]+$"
_MAX_PARTS = 3
_KNOWN_SYSTEMS = frozenset(
    re.findall(
        r"\w+",
        "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9"
        " solaris windows zos",
    )
)
_KNOWN_ARCHITECTURES = frozenset(
    re.findall(
        r"\w+",
        "386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64"
        " mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm",
    )
)
"""https://github.com/containerd/platforms/blob/v0.2.1/database.go"""


@dataclass(frozen=True)
class Platform:
    """A platform to select from a manifest list; no variant means any."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``os/architecture[/variant]``, an architecture (of Linux), or an operating system.

        Raises:
            BadRequest: for other text; in containerd's words, which dockerd passes on.
        """
        for part in text.split("/"):
            if not re.fullmatch(_COMPONENT.strip("^$"), part):
                raise BadRequest(
                    f"{_quote(part)} is an invalid component of {_quote(text)}: platform"
                    f" specifier component must match {_quote(_COMPONENT)}: invalid argument"
                )
        parts = text.lower().split("/")
        if len(parts) > _MAX_PARTS:
            raise BadRequest(f"{_quote(text)}: cannot parse platform specifier: invalid argument")
        if len(parts) == 1:
            name = _ARCHITECTURES.get(parts[0], parts[0])
            if name in _VARIANTS:
                return cls("linux", "arm", _VARIANTS[name])
            if name in _KNOWN_SYSTEMS:
                return cls(name, DEFAULT.architecture)
            if name in _KNOWN_ARCHITECTURES:
                return cls("linux", name)
            raise BadRequest(
                f"{_quote(text)}: unknown operating system or architecture: invalid argument"
            )
        return cls(parts[0], _ARCHITECTURES.get(parts[1], parts[1]), "/".join(parts[2:]))

    def fits(self, os: str, architecture: str, variant: str = "") -> bool:
        """Whether an image of this system, architecture and variant is for this platform."""
        return (os, architecture) == (self.os, self.architecture) and self.variant in ("", variant)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def of_machine() -> str:
    """The architecture of this machine, as images name it."""
    name = machine()
    return _ARCHITECTURES.get(name, name)


DEFAULT = Platform("linux", "amd64")
"""The platform of pulls and builds unless a client chooses another. It is fixed, so that lessons
print the same digests everywhere; Docker's default is the machine's architecture."""
