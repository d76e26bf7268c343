"""A stored state makes objects of moto's models again, and does nothing else."""

from __future__ import annotations

import copyreg
import pickle
from collections import OrderedDict, defaultdict, deque
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from moto.core.common_models import BaseModel
from moto.kms.utils import KeySpec
from moto.s3.models import FakeAcl, FakeKey
from moto.sqs.models import Queue

from labs_helpers.sandbox.moto import memory
from labs_helpers.sandbox.moto.kept import graph, restored
from labs_helpers.sandbox.moto.kept.unpickling import Unreadable


@pytest.fixture(autouse=True, scope="module")
def _moto_as_the_sandbox_has_it() -> None:
    """An object that is refused is collected: no list of moto's holds the object."""
    memory.install()
    restored.import_models("s3")


class Steps:
    """Reduced as the test says."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


class Named(str):
    """A global of the stored state, by its name."""

    def __reduce__(self) -> str:
        return str(self)


def load(content: bytes) -> Any:
    return graph.load(content, lambda name: name)


def global_of(kind: type) -> bytes:
    return f"c{kind.__module__}\n{kind.__qualname__}\n".encode()


TEXT = pickle.dumps("told", 0)[:-1]


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Steps(FakeAcl, ([],))),
        pickle.dumps(Steps(Queue, ("a", "us-west-2", "123456789012"))),
        b"(" + TEXT + b"i" + FakeAcl.__module__.encode() + b"\nFakeAcl\n.",
        b"(" + global_of(FakeAcl) + TEXT + b"o.",
        # attributes of a class
        global_of(FakeKey) + b"(N}" + TEXT + b"Nst" + b"b.",
        global_of(FakeKey) + b"N}" + TEXT + b"Ns\x86b.",
        # methods of objects that are no containers
        global_of(FakeKey) + b")\x81" + TEXT + b"a.",
        global_of(FakeKey) + b")\x81" + TEXT + b"Ns.",
        global_of(FakeKey) + b")\x81(" + TEXT + b"\x90.",
        global_of(FakeKey) + TEXT + b"\x85\x81.",
        # the setter of slots
        global_of(FakeKey) + b")\x81N}" + TEXT + b"Ns\x86b.",
        # what fills a dictionary, given a class
        pickle.dumps(Steps(graph._set_parts, (FakeKey, ({}, {}, list)))),
        pickle.dumps(Steps(graph.filter_of, (FakeKey, "filter_x"))),
        pickle.dumps(Steps(eval, ("1",))),
        pickle.dumps(Steps(copyreg._reconstructor, (FakeKey, object, None))),  # type: ignore[attr-defined]
        b"\x82\x01.",
        b"garbage",
        b"",
    ],
)
def test_a_hostile_state_is_refused_before_anything_is_called(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    for kind in (BaseModel, FakeAcl, FakeKey, Queue):
        for name in ("__init__", "append", "__setitem__", "add", "__setstate__", "extend"):
            if hasattr(kind, name):
                monkeypatch.setattr(kind, name, lambda *given, n=name: called.append(n))
    before = {kind: dict(vars(kind)) for kind in (FakeAcl, FakeKey, Queue)}
    with pytest.raises(Unreadable):
        load(content)
    assert called == []
    assert {kind: dict(vars(kind)) for kind in before} == before


def test_plain_values_and_objects_come_back() -> None:
    state = {
        "many": [1, 2.5, None, True, "a", b"b", (1, 2)],
        "sets": [{1, 2}, frozenset({3}), set()],
        "dictionaries": [OrderedDict(a=1, b=2), defaultdict(list, {"a": [1]}), {"x": {}}],
        "rest": [deque([1, 2], maxlen=5), Decimal("1.5"), UUID(int=5), bytearray(b"x")],
        "times": [datetime(2026, 11, 28, tzinfo=UTC), datetime(2026, 1, 1)],
    }
    assert load(graph.dump(state, defaultdict(lambda: None))) == state


def test_an_enumeration_is_kept_by_its_value_in_every_python() -> None:
    spec = KeySpec.RSA_2048
    content = graph.dump(spec, defaultdict(lambda: None))
    assert load(content) is spec
    assert b"getattr" not in content
    assert spec.value.encode() in content
