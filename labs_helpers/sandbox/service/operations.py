"""The functions that answer a service's operations, collected from the service's modules.

A module holds one public function an operation, named as in Python (``put_image`` answers
PutImage), as moto's Response classes do
(https://github.com/getmoto/moto/blob/master/moto/core/responses.py).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from inspect import isfunction
from types import ModuleType
from typing import Any

from botocore import xform_name

Function = Callable[[Any, dict[str, Any]], dict[str, Any]]
"""What answers an operation: (Call, parameters) -> the members of the answer."""


def recorded(operations: ModuleType) -> frozenset[str]:
    """The operations that keep a record on which nothing acts: RECORDED of all the modules."""
    return frozenset().union(
        *(getattr(module, "RECORDED", ()) for module in _modules_of(operations))
    )


def collect(
    names: Iterable[str], operations: ModuleType
) -> tuple[dict[str, Function], dict[str, str]]:
    """The function of each operation that a module or a package holds, and the NOT_BUILT.

    names: the operations of the service. Raises ValueError as `Service.operations` does.
    """
    spelling = {xform_name(name): name for name in names}
    functions: dict[str, Function] = {}
    reasons: dict[str, str] = {}
    for module in _modules_of(operations):
        for name, function in vars(module).items():
            ours = isfunction(function) and function.__module__ == module.__name__
            if ours and not name.startswith("_"):
                where = f"the function {module.__name__}.{name}"
                if name not in spelling:
                    raise ValueError(f"{where} is no operation; a helper's name begins with _")
                if spelling[name] in functions:
                    raise ValueError(f"{where} is a second function for {spelling[name]}")
                functions[spelling[name]] = function
        reasons |= getattr(module, "NOT_BUILT", {})
    if stale := sorted(set(reasons) - set(spelling.values()) | set(reasons) & set(functions)):
        raise ValueError(f"NOT_BUILT names what is built, or is no operation: {', '.join(stale)}")
    return functions, reasons


def _modules_of(module: ModuleType) -> list[ModuleType]:
    """The modules of a package, imported; of a plain module, itself."""
    if not hasattr(module, "__path__"):
        return [module]
    names = [f"{module.__name__}.{found.name}" for found in pkgutil.iter_modules(module.__path__)]
    return [importlib.import_module(name) for name in names]
