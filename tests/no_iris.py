"""jsonschema without the grammar of IRIs, which takes two seconds to read.

nbformat imports jsonschema, which imports rfc3987_syntax where that is installed, and else checks
no IRI (jsonschema/_format.py). No schema of a notebook has an IRI. This is a file of its own, since
the runs of nbval that tests start have it as a plugin of pytest.
"""

from __future__ import annotations

import sys

# `import rfc3987_syntax` then raises ImportError, as where the package is not installed
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
