"""The scanner is imported by the first scan, so that starting the sandbox does not wait for it."""

import subprocess
import sys


def test_the_sandbox_starts_without_the_scanner() -> None:
    code = (
        "import sys; from labs_helpers.sandbox import assembly; "
        "print([name for name in sys.modules if name.startswith(('univers', 'cyclonedx', "
        "'labs_helpers.sandbox.scanner'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
