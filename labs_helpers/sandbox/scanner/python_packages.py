"""Installed Python distributions, by their metadata files.

Source: https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from __future__ import annotations

import re
from email.parser import HeaderParser

from labs_helpers.sandbox.scanner.packages import Package

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def parse(content: bytes) -> Package | None:
    """The distribution of a METADATA or PKG-INFO file; None without one name and one version."""
    headers = HeaderParser().parsestr(content.decode("utf-8", "replace"))
    if len(headers.get_all("Name", [])) > 1 or len(headers.get_all("Version", [])) > 1:
        return None
    name, version = str(headers.get("Name", "")).strip(), str(headers.get("Version", "")).strip()
    if not _NAME.fullmatch(name) or not version or len(version.split()) != 1:
        return None
    project = normalised(name)
    return Package(
        manager="python",
        name=project,
        version=version,
        source=project,
        source_version=version,
        licence=str(headers.get("License-Expression", "")).strip(),
    )


def normalised(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()
