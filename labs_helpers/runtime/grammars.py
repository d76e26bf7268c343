"""Imports without modules that nobody uses.

jsonschema imports rfc3987_syntax where it is installed: 38 grammars of IRIs, which take 2.3 seconds
of CPU and 17 MB. They check the formats "iri" and "iri-reference", and no schema of Jupyter's, of
notebooks or of ours has these.
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
    with contextlib.nullcontext() if "jsonschema" in sys.modules else without(_GRAMMARS):
        yield


@contextlib.contextmanager
def without(name: str) -> Iterator[None]:
    """Import in the block what does without the module of this name where it is not installed.

    A module that is there already stays there.
    """
    if name in sys.modules:
        yield
        return
    # None makes an import raise ImportError: https://docs.python.org/3/library/sys.html#sys.modules
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(name, None)
