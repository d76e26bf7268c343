"""Which paths of a layer or a build context Linux takes: no runtime unpacks the others."""

from __future__ import annotations

_PATH_MAX, _NAME_MAX = 4096, 255
"""Bytes, those of a path with its zero byte."""


def fits_a_file_system(path: str) -> bool:
    """Whether Linux takes a path: https://man7.org/linux/man-pages/man7/path_resolution.7.html"""
    encoded = path.encode("utf-8", "surrogateescape")
    return len(encoded) < _PATH_MAX and max(map(len, encoded.split(b"/"))) <= _NAME_MAX
