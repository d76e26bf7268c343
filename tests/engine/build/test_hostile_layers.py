"""Layers of a base image: whiteouts as the specification has them, and no way out of the image.

https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
"""

from __future__ import annotations

import io
import stat
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_helpers.engine.build import BuildError, tar_reader
from labs_helpers.engine.build.run.rootfs import RootFolder
from labs_helpers.engine.build.tree import Tree
from tests.engine.build.building import Member, link
from tests.engine.build.building import archive as tar_of

NAMES = st.lists(
    st.sampled_from(["..", ".", "a", "b", "link", ".wh.a", ".wh..wh..opq", "long" * 60, "\udce9"]),
    min_size=1,
    max_size=4,
).map("/".join)
KINDS = st.sampled_from(
    [
        *(tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE),
        *(tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE, b"Z"),
    ]
)


def layered(*layers: io.BytesIO) -> Tree:
    return tar_reader.read_layers([lambda layer=layer: layer for layer in layers], None)  # type: ignore[misc]


def paths(tree: Tree) -> set[str]:
    return {path for path, _ in tree.walk()}


def test_a_whiteout_deletes_what_lower_layers_have() -> None:
    base = tar_of({"a/x": "1", "a/y": "2", "b/z": "3"})
    assert paths(layered(base, tar_of({"a/.wh.x": "", ".wh.b": ""}))) == {"a", "a/y"}


@pytest.mark.parametrize("first", [True, False])
def test_an_opaque_folder_keeps_what_its_own_layer_has(first: bool) -> None:
    base = tar_of({"a/old": "1", "a/sub/old": "2", "b": "3"})
    opaque = {"a/.wh..wh..opq": ""}
    new = {"a/new": "4", "a/sub/new": "5"}
    upper = tar_of({**opaque, **new} if first else {**new, **opaque})
    assert paths(layered(base, upper)) == {"a", "a/new", "a/sub", "a/sub/new", "b"}


def test_a_file_replaced_in_the_layer_that_deletes_it_is_there() -> None:
    upper = tar_of({"a": "new", ".wh.a": ""})
    tree = layered(tar_of({"a": "old"}), upper)
    entry = tree.get("a")
    assert entry
    assert entry.open
    assert entry.open().read() == b"new"


def test_hard_links_long_names_and_pax_headers_are_read() -> None:
    name = "d/" + "\u00e9" * 120 + "/" + "n" * 200
    tree = layered(tar_of({name: "text", "1": link("hard", name, tarfile.LNKTYPE)}))
    one, two = tree.get(name), tree.get("hard")
    assert one is two
    assert one
    assert one.size == 4


@pytest.mark.parametrize(("uid", "name"), [(2**40, "a"), (-5, "a")])
def test_owners_that_no_system_has_are_refused(uid: int, name: str) -> None:
    member = Member(name)
    member.uid = uid
    with pytest.raises(BuildError, match="out of range"):
        layered(tar_of({"1": member}))


def test_a_hole_is_read_as_zeros() -> None:
    member = Member("sparse")
    member.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "holes",
        "GNU.sparse.realsize": "1000000",
    }
    table = b"1\n999996\n4\n".ljust(512, b"\0")
    content = table + b"tail"
    member.size = len(content)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member, io.BytesIO(content))
    out.seek(0)
    entry = layered(out).get("holes")
    assert entry
    assert entry.open
    assert entry.open().read() == bytes(999_996) + b"tail"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    layers=st.lists(
        st.lists(st.tuples(NAMES, KINDS, st.integers(0, 0o7777), NAMES), max_size=6),
        min_size=1,
        max_size=3,
    )
)
def test_any_layers_become_a_folder_or_an_error(
    layers: list[list[tuple[str, bytes, int, str]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        outside = home / "a"
        outside.write_text("outside")
        scratch = home / "scratch" / "deep"
        scratch.mkdir(parents=True)
        tars = []
        for members in layers:
            found = {}
            for number, (path, kind, mode, target) in enumerate(members):
                member = Member(path)
                member.type, member.mode, member.linkname = kind, mode, target
                found[str(number)] = member
            tars.append(tar_of(found))
        try:
            tree = layered(*tars)
            folder = RootFolder(tree, scratch, 0)
        except (BuildError, OSError):
            assert list(scratch.iterdir()) == []
            return
        shown = set(folder.hand_over(None))
        # devices are not made
        made = {path for path, entry in tree.walk() if entry.kind != "other" or path in shown}
        assert shown == {path for path in made if path.split("/")[0] not in ("dev", "proc")}
        folder.close()
        assert outside.read_text() == "outside"
        assert stat.S_IMODE(outside.stat().st_mode) == 0o644
        assert sorted(path.name for path in home.iterdir()) == ["a", "scratch"]
        assert list(scratch.iterdir()) == []
