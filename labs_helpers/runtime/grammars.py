"""jsonschema without 38 grammars of IRIs, which take 2.3 seconds of CPU and 17 MB.

jsonschema imports rfc3987_syntax where it is installed, to check the formats "iri" and
"iri-reference": no schema of Jupyter's, of notebooks or of ours has these.
https://github.com/python-jsonschema/jsonschema/blob/main/jsonschema/_format.py
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

_GRAMMARS = "rfc3987_syntax"


@contextlib.contextmanager
def without_grammars() -> Iterator[None]:
    """Import jsonschema, or what imports it, in the block."""
    if _GRAMMARS in sys.modules or "jsonschema" in sys.modules:
        yield
        return
    # None makes an import raise ImportError, which jsonschema expects:
    # https://docs.python.org/3/library/sys.html#sys.modules
    sys.modules[_GRAMMARS] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(_GRAMMARS, None)
