"""An unpickler that does no more than make objects and set their attributes.

The unpickler of the standard library that is written in C calls whatever is on its stack, sets
attributes of classes, and calls `append`, `add` and `__setitem__` of any object; in a hostile state
this would be moto's code with arguments of the state's. The one that is written in Python has a
method for each step, which can look before the step is done.
https://github.com/python/cpython/blob/v3.11.9/Lib/pickle.py
"""

from __future__ import annotations

import pickle
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection
from enum import EnumMeta
from typing import Any, ClassVar

_PYTHONS: Any = pickle._Unpickler


class Unreadable(Exception):
    """The bytes are not a state that this program may make again; the message says why."""


class Unpickler(_PYTHONS):  # type: ignore[misc]
    """Raises Unreadable for a step that no state of ours has, before the step is done."""

    stack: list[Any]
    metastack: list[list[Any]]
    dispatch: ClassVar[dict[int, Any]] = dict(_PYTHONS.dispatch)

    def __init__(
        self,
        file: Any,
        find: Callable[[str, str], Any],
        named: Callable[[Any], Any],
        functions: Collection[Any],
        plain: Callable[[type], bool],
    ) -> None:
        """find: a class by module and name; named: an object that is kept by name.

        functions: those it may call; plain: whether a class is a container or a value of Python's.
        """
        super().__init__(file)
        self._find = find
        self._named = named
        self._functions = functions
        self._plain = plain

    def find_class(self, module: str, name: str) -> Any:
        """A class, as the caller allows."""
        return self._find(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """An object that is kept by name."""
        return self._named(pid)

    def _is_plain(self, kind: Any) -> bool:
        return isinstance(kind, type) and self._plain(kind)

    def _reduce(self) -> None:
        called = self.stack[-2]
        if isinstance(called, type):
            _check(self._plain(called) or isinstance(called, EnumMeta), "calls", called)
        else:
            _check(any(called is each for each in self._functions), "calls", called)
        self._go(pickle.REDUCE)

    def _new(self) -> None:
        kind = self.stack[-2]
        _check(isinstance(kind, type), "makes an object of", kind)
        _check(self._plain(kind) or self.stack[-1] == (), "gives arguments to", kind)
        self._go(pickle.NEWOBJ)

    def _build(self) -> None:
        found, state = self.stack[-2:]
        if not self._is_plain(type(found)):
            _check(not isinstance(found, type), "changes the class", found)
            _check(not hasattr(found, "__setstate__"), "calls __setstate__ of", found)
            _check(type(state) is dict, "sets no attributes of", found)
        self._go(pickle.BUILD)

    def _into(self, step: bytes, kinds: tuple[type, ...]) -> None:
        _check(type(self.metastack[-1][-1]) in kinds, "fills", self.metastack[-1][-1])
        self._go(step)

    def _one_into(self, step: bytes, at: int, kinds: tuple[type, ...]) -> None:
        _check(type(self.stack[at]) in kinds, "fills", self.stack[at])
        self._go(step)

    def _refuse(self) -> None:
        raise Unreadable("it holds a step that no state has")

    def _go(self, step: bytes) -> None:
        _PYTHONS.dispatch[step[0]](self)


_LISTS = (list, deque)
_DICTIONARIES = (dict, OrderedDict, defaultdict)
_SETS = (set,)


def _check(is_so: bool, does: str, what: Any) -> None:
    if not is_so:
        kind = what if isinstance(what, type) else type(what)
        raise Unreadable(f"it {does} {kind.__module__}.{kind.__qualname__}")


Unpickler.dispatch |= {
    step[0]: function
    for step, function in {
        pickle.REDUCE: Unpickler._reduce,
        pickle.NEWOBJ: Unpickler._new,
        pickle.BUILD: Unpickler._build,
        pickle.APPEND: lambda self: self._one_into(pickle.APPEND, -2, _LISTS),
        pickle.APPENDS: lambda self: self._into(pickle.APPENDS, _LISTS),
        pickle.SETITEM: lambda self: self._one_into(pickle.SETITEM, -3, _DICTIONARIES),
        pickle.SETITEMS: lambda self: self._into(pickle.SETITEMS, _DICTIONARIES),
        pickle.ADDITEMS: lambda self: self._into(pickle.ADDITEMS, _SETS),
        **dict.fromkeys(
            (
                *(pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX),
                *(pickle.EXT1, pickle.EXT2, pickle.EXT4),
            ),
            Unpickler._refuse,
        ),
    }.items()
}
