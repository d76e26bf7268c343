"""A day of a class is played in a copy of this machine, where JupyterHub's proxy is installed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hub import machine

PROXY = "configurable-http-proxy"


def play(module: str, *arguments: str, seconds: float) -> dict[str, Any]:
    """What a module of these tests prints as JSON, last. Skips without the proxy."""
    machine.needs()
    proxy = shutil.which(PROXY)
    if proxy is None:
        why = f"not installed: {PROXY} (npm install --global {PROXY}@5)"
        if os.environ.get("LABS_REQUIRE_CLIENTS"):
            pytest.fail(why)
        pytest.skip(why)
    environ = (f"LABS_TEST_PROXY={Path(proxy).parent}", f"PYTHONPATH={machine.LABS}")
    words = (sys.executable, "-P", "-m", module, *arguments)
    found: dict[str, Any] = machine.run(["env", *environ, *words], seconds=seconds)
    return found
