"""The platform of an image: operating system, architecture, variant.

Source: https://github.com/containerd/platforms (the normal form of Docker's ``--platform``)
"""

from __future__ import annotations

from dataclasses import dataclass

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Platform:
    """What to take from a manifest list."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``os/architecture[/variant]``, or an architecture alone, which is Linux's."""
        parts = text.lower().split("/")
        if len(parts) == 1:
            return cls("linux", _ARCHITECTURES.get(parts[0], parts[0]))
        return cls(parts[0], _ARCHITECTURES.get(parts[1], parts[1]), "/".join(parts[2:]))

    def fits(self, os: str, architecture: str, variant: str = "") -> bool:
        """Whether an image of this description serves; no variant wanted takes any."""
        return (os, architecture) == (self.os, self.architecture) and self.variant in ("", variant)


DEFAULT = Platform("linux", "amd64")
"""What is pulled and built unless a client says otherwise, on every machine: digests in the
lessons are then the same everywhere. Docker takes the machine's own architecture."""
