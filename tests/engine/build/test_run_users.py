"""RUN by an ordinary user's engine to which /etc/subuid gives a range: its users are true.

The image is the same as root's engine makes, and clients/test_builds_match_dockerd.py compares that
with dockerd's.
"""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.engine.build.run import owners
from labs_helpers.engine.build.run.accounts import Account
from labs_helpers.engine.build.run.owners import users_for
from labs_helpers.engine.build.tree import FILE, Entry, Tree
from labs_helpers.engine.errors import NotSupported
from labs_helpers.engine.owners import are_kept
from labs_helpers.engine.subordinate import ranges
from tests.clients import dockerfiles
from tests.engine.build.as_nobody import NOBODY
from tests.engine.build.test_run import ALLOWED, BASE, DENIED, OWNED, SAME, as_user
from tests.engine.containers.conftest import user_with_range

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

VOLUMES = """\
COPY f /old/d/f
RUN chmod 700 /old; chown -R 5:6 /old; touch /old/x; chmod 4711 /old/x
VOLUME /v /a/b /old /v/in
RUN echo 1 > /v/x; echo 2 > /old/g; rm -r /old/d; mkdir /a/c; ls /v /a /old; stat -c '%u %a' /old
RUN ls /v /a /old; rmdir /a/c; cp -a /old /kept; chown 9:9 /a /v; chmod 711 /a
COPY f /v/
USER app
RUN ls /v
USER root
RUN rm -r /a
"""
OWNERS = """\
RUN cp /bin/busybox /su; chown 1000:5 /su; chmod 6755 /su; mkfifo /pipe; chown 5 /pipe
RUN mkdir -m 700 /own; echo secret > /own/file; chmod 400 /own/file; chown -R app /own
RUN ln -s nowhere /link; chown -h 5:5 /link; mkdir -m 3777 /team; chown 7:8 /team; chown 12:12 /
USER app
RUN touch /team/new; cat /own/file; stat -c '%n %F %a %u:%g' / /su /pipe /link /team/new
USER 12:12
RUN touch /of12
USER root
RUN chown 0:0 /
USER 12:12
RUN touch /of12-again || echo refused
FROM scratch
COPY --from=0 /own /su /team /copied/
"""


@pytest.mark.parametrize("text", [VOLUMES, OWNERS], ids=["volumes", "owners"])
def test_the_image_is_the_one_that_roots_engine_makes(text: str) -> None:
    roots, ours = (as_user(BASE + text, uid) for uid in (0, user_with_range()))
    assert ours["layers"] == roots["layers"]
    assert ours["id"] == roots["id"]
    assert _said(ours) == _said(roots)
    assert ours["left"] == []


def test_roots_command_makes_devices_for_a_layer_and_opens_none() -> None:
    """Else a RUN would read and write the machine's disks: nothing but the mounts forbids that."""
    script = "busybox mknod $d/own c 1 3 && { cat $d/own 2>&1 || ls $d/own; }"
    lines = f"RUN for d in /dev /tmp /home/x; do mkdir -p $d; {script}; done\n"
    said = _said(as_user(BASE + lines, 0))
    for folder in ("/dev", "/tmp", "/home/x"):
        assert f"can't open '{folder}/own': Permission denied" in said, said


def _said(found: dict[str, Any]) -> str:
    """What a build printed; where a text of stderr is cut into parts depends on the time."""
    return re.sub(r"\x1b\[91m|\x1b\[0m", "", found["said"])


def test_an_image_without_changes_of_owners_is_the_same_for_every_user_and_isolation() -> None:
    images = {
        (uid, kind): as_user(BASE + SAME, uid, LABS_ISOLATION=kind)["id"]
        for uid, kind in (
            *((0, ""), (0, "proot"), (NOBODY, ""), (NOBODY, "proot")),
            (user_with_range(), ""),
        )
    }
    assert len(set(images.values())) == 1, images


@pytest.mark.soak
@pytest.mark.parametrize("name", ["run", "users"])
def test_what_is_compared_with_dockerd_is_built_the_same_with_a_range(name: str) -> None:
    base = dockerfiles.BASE.replace("COPY busybox", "COPY --chmod=755 busybox")
    text = base + dockerfiles.BUILT[name].removeprefix(dockerfiles.PROGRAMS)
    roots, ours = (as_user(text, uid) for uid in (0, user_with_range()))
    assert ours["id"] == roots["id"]


def test_a_user_may_do_what_the_owners_and_modes_say_and_no_warning_is_needed() -> None:
    lines = "".join(f"RUN ({c}) 2>&1 || echo failed\n" for c, _ in DENIED)
    lines += "".join(f"RUN {command} && echo done\n" for command in ALLOWED)
    found = as_user(OWNED + lines, user_with_range())
    for command, said in DENIED:
        assert f"{said}\nfailed\n" in found["said"], command
    assert found["said"].count("\ndone\n") == len(ALLOWED)
    assert "[Warning]" not in found["said"]


def test_an_owner_beyond_the_range_leaves_the_command_one_user() -> None:
    text = f"{BASE}COPY --chown=1000000000:5 f /f\nRUN touch /made && echo done\n"
    found = as_user(text, user_with_range())
    assert "[Warning] /f of the image belongs to user 1000000000 and group 5" in found["said"]
    assert "\ndone\n" in found["said"]
    assert found["layers"][-1] == {"made": ["0o644", 0, 0]}


def test_a_user_beyond_the_range_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(owners, "are_kept", lambda users, folder: True)
    rows = {"tool": "", "rows": [[0, 1000, 1], [1, 100000, 9]]}
    monkeypatch.setattr("labs_helpers.engine.machine.users", lambda: {"uid": rows, "gid": rows})
    tree = Tree()
    tree.put("f", Entry(FILE, uid=9))
    assert users_for(tree, Account(9, 9), tmp_path)
    with pytest.raises(NotSupported, match=r"USER has the number 10 .* this machine's user 10 of"):
        users_for(tree, Account(10), tmp_path)
    tree.put("f", Entry(FILE, gid=10))
    with pytest.raises(NotSupported, match="/f of the image belongs to user 0 and group 10"):
        users_for(tree, Account(1), tmp_path)
    monkeypatch.setattr(owners, "are_kept", lambda users, folder: False)
    with pytest.raises(NotSupported, match=f"file system of {tmp_path} keeps no owners of a range"):
        users_for(Tree(), Account(), tmp_path)


def test_a_file_system_that_refuses_owners_of_the_range_is_found(tmp_path: Path) -> None:
    # newuidmap is missing, so the owners cannot be given: as on a network file system
    rows = {"tool": "/nosuch", "rows": [[0, 1000, 1], [1, 100000, 9]]}
    assert not are_kept({"uid": rows, "gid": rows}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_neither_a_command_that_fails_nor_a_killed_engine_leaves_files_of_other_users() -> None:
    """A kill -9 in a RUN leaves files of the range, which the next engine removes."""
    uid = user_with_range()
    name = pwd.getpwuid(uid).pw_name
    ((first, _), *_) = ranges(Path("/etc/subuid"), frozenset({name, str(uid)}))

    def leave(folder: Path) -> None:
        place = folder / "scratch-left/run-1"
        closed = place / "root/closed"
        closed.mkdir(parents=True)
        (closed / "file").touch(mode=0o600)
        for path in (closed / "file", closed):
            os.chown(path, first + 69, first + 69)
        closed.chmod(0o700)
        for path in (place / "root", place, place.parent):
            os.chown(path, uid, uid)

    text = f"{BASE}RUN mkdir -m 700 /d; touch /d/f; chown -R 70:70 /d; exit 3\n"
    found = as_user(text, uid, leave, fails=True)
    assert found["error"].endswith("returned a non-zero code: 3")
    assert found["left"] == []
