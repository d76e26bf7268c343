"""What a learner's processes do not load before somebody needs it.

A row that fails names who imports the module. Import the module in the function that needs it.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

WEIGHED = """
import importlib, json, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in heavy and name not in found:
            frame, chain = sys._getframe(1), []
            while frame:
                module = frame.f_globals.get("__name__", "")
                if module.startswith("labs_helpers") and module not in chain:
                    chain.append(module)
                frame = frame.f_back
            found[name] = chain
        return None

module, heavy, found = sys.argv[1], sys.argv[2:], {}
sys.meta_path.insert(0, Watch())
importlib.import_module(module)
print(json.dumps(found))
"""
SERVERS = ("boto3", "moto", "flask", "requests", "jsonschema", "pydantic", "yaml", "nbformat")
STARTS = {
    "labs_helpers.sandbox.assembly": (*SERVERS, "dulwich", "cryptography", "docker", "rich"),
    "labs_helpers.engine.__main__": (*SERVERS, "botocore", "docker", "rich", "sqlalchemy"),
    "labs_helpers.runner.__main__": (*SERVERS, "botocore", "docker", "sqlite3", "asyncio"),
    "labs_helpers.startup": ("jsonschema", "rfc3987_syntax", "nbformat", "moto", "dulwich", "rich"),
    "labs_helpers.cli.serve": ("boto3", "botocore", "jsonschema", "nbformat", "moto", "docker"),
    "labs_helpers": ("boto3", "IPython", "ipywidgets", "docker"),
}


@pytest.mark.parametrize("module", STARTS)
def test_a_start_loads_nothing_heavy(module: str) -> None:
    command = [sys.executable, "-c", WEIGHED, module, *STARTS[module]]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {}
