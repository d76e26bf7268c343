"""RUN: a real command in the image's files, and a layer of what it changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.engine import machine
from labs_helpers.engine.build import BuildError
from labs_helpers.engine.build.run import proot
from labs_helpers.engine.build.run.rootfs import RootFolder
from labs_helpers.engine.build.tree import Tree
from labs_helpers.engine.containers.keeper import scopes
from tests.engine.build.as_nobody import NOBODY
from tests.engine.build.building import Builder, archive, link
from tests.engine.engine_room import require

PROOT = proot.available()

BASE = """\
FROM scratch
COPY --chmod=755 busybox /bin/busybox
COPY <<EOF /etc/passwd
root:x:0:0:root:/root:/bin/sh
app:x:1000:1001:app:/home/app:/bin/sh
EOF
RUN ["/bin/busybox", "--install", "-s", "/bin"]
"""


@pytest.fixture(autouse=True)
def programs() -> None:
    require("proot")
    require("busybox")


@pytest.fixture
def files() -> dict[str, bytes]:
    found = shutil.which("busybox")
    assert found
    return {"busybox": Path(found).read_bytes()}


def test_the_layer_is_what_the_command_changed(builder: Builder, files: dict[str, bytes]) -> None:
    change = (
        "mkdir -p /a/b; echo hi > /a/b/c; chmod 4750 /a/b/c; ln /a/b/c /a/hard; ln -s b /a/soft;"
        " rm /etc/passwd; mkfifo /a/pipe"
    )
    image = builder.build(f"{BASE}RUN {change}\n", files)
    found = builder.files(image, len(image.layers) - 1)
    assert {name: (member.type, oct(member.mode)) for name, member in found.items()} == {
        "a": (tarfile.DIRTYPE, "0o755"),
        "a/b": (tarfile.DIRTYPE, "0o755"),
        "a/b/c": (tarfile.REGTYPE, "0o4750"),
        "a/hard": (tarfile.LNKTYPE, "0o4750"),
        "a/pipe": (tarfile.FIFOTYPE, "0o644"),
        "a/soft": (tarfile.SYMTYPE, "0o777"),
        "etc": (tarfile.DIRTYPE, "0o755"),
        "etc/.wh.passwd": (tarfile.REGTYPE, "0o0"),
    }
    assert (found["a/hard"].linkname, found["a/soft"].linkname) == ("a/b/c", "b")
    assert builder.read(image, "a/b/c") == b"hi\n"


def test_later_steps_see_what_a_command_made(builder: Builder, files: dict[str, bytes]) -> None:
    image = builder.build(
        f"{BASE}RUN mkdir -p /q /r/s && echo one > /q/one && echo two > /q/two\n"
        "COPY f /q/one\n"
        "RUN cat /q/one /q/two > /q/three && rm -r /r && echo > /r\n"
        "FROM scratch\n"
        "COPY --from=0 /q /\n",
        {**files, "f": "copied\n"},
    )
    assert builder.read(image, "three") == b"copied\ntwo\n"
    assert builder.read(image, "one") == b"copied\n"


def test_a_command_cannot_remove_what_it_has_of_the_machine(
    builder: Builder, files: dict[str, bytes]
) -> None:
    machines = [Path("/etc/hosts"), Path("/etc/resolv.conf"), Path("/dev/null"), Path("/dev/zero")]
    before = {path: path.lstat() for path in machines if path.exists()}
    builder.build(
        f"{BASE}RUN for f in /etc/hosts /etc/resolv.conf; do echo bad > $f; rm -f $f; done; "
        "rm -f /dev/zero /dev/null; true\n",
        files,
    )
    after = {path: path.lstat() for path in before}
    assert [path for path in before if before[path].st_ino != after[path].st_ino] == []
    assert [path for path in before if before[path].st_size != after[path].st_size] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user may not write there anyway")
def test_a_command_cannot_change_the_machines_kernel(
    builder: Builder, files: dict[str, bytes]
) -> None:
    # a namespace is refused in some containers, which have /proc/sys read-only themselves
    setting = "/proc/sys/vm/swappiness"
    builder.build(f"{BASE}RUN cat {setting} > {setting} || echo refused\n", files)
    assert "refused\n ---> Removed" in builder.said


def test_the_command_has_the_images_settings(builder: Builder, files: dict[str, bytes]) -> None:
    image = builder.build(
        f"{BASE}ARG A=1\nARG B\nENV E=env A=hidden\nRUN mkdir -p /w/x && chown app:1001 /w/x\n"
        "WORKDIR /w/x\nUSER app\n"
        'SHELL ["/bin/sh", "-ec"]\n'
        "RUN echo $A $B $E $HOME $http_proxy $(pwd) $(id -u):$(id -g) $(umask); touch made\n",
        files,
        build_args={"B": "given", "http_proxy": "p"},
    )
    assert "\nhidden given env /home/app p /w/x 1000:1001 0022\n" in builder.said
    assert image.config["history"][-1]["created_by"].startswith("|1 B=given /bin/sh -ec echo")
    made = builder.files(image)["w/x/made"]
    assert (made.uid, made.gid) == (1000, 1001)


def test_nothing_of_the_machine_is_seen(builder: Builder, files: dict[str, bytes]) -> None:
    secret = builder.scratch / "secret"
    secret.write_text("of the machine")
    image = builder.build(
        f"{BASE}COPY links /\n"
        f"RUN ls -A /; ls /dev; cat {secret} /out 2>&1 | cat; echo x > /out || true\n",
        {**files, "1": link("links/out", str(secret)), "2": link("links/up", "../../../..")},
    )
    assert "\nbin\ndev\netc\nout\nproc\nup\n" in builder.said
    assert "of the machine" not in builder.said
    assert secret.read_text() == "of the machine"
    # the link led to the same path in the image, whose folders are not there
    assert "secret" not in str(builder.files(image).keys())


@pytest.mark.parametrize(
    "command",
    [
        "env | sort",
        "<<EOF\nenv | sort\nEOF",
        pytest.param(
            '["/bin/env"]',
            marks=pytest.mark.skipif(
                bool(PROOT and proot.reads_folder_variable(PROOT)),
                reason="this PRoot needs the variable",
            ),
        ),
    ],
)
def test_the_environment_is_the_images_alone(
    builder: Builder, files: dict[str, bytes], command: str
) -> None:
    builder.build(f"{BASE}ENV A=b\nRUN {command}\n", files)
    assert "PROOT" not in builder.said
    assert str(builder.scratch) not in builder.said
    assert "\nA=b\n" in builder.said


def test_a_volume_is_there_and_what_is_written_to_it_is_not_kept(
    builder: Builder, files: dict[str, bytes]
) -> None:
    # what dockerd 20.10's classic builder makes of the same
    image = builder.build(
        f"{BASE}COPY f /old/f\nRUN echo one > /old/run; chmod 700 /old; chown 5:6 /old\n"
        "VOLUME /v /a/b /old /v/in\nUSER app\n"
        "RUN stat -c '%n %u %a' /v /a/b\nUSER root\n"
        "RUN echo 1 > /v/x; echo 2 > /old/g; rm /old/f; ls /old; echo 3 > /else; mkdir /a/c\n"
        "RUN echo again; ls /v /a /old; cat /old/run\n",
        {**files, "f": "copied\n"},
    )
    assert "\ng\nrun\n" in builder.said
    assert "\nagain\n/a:\nb\nc\n\n/old:\nf\nrun\n\n/v:\nin\none\n" in builder.said
    made = builder.files(image, len(image.layers) - 2)
    assert set(made) == {"a", "a/b", "v"}
    assert {(m.uid, m.gid, oct(m.mode)) for m in made.values()} == {(0, 0, "0o755")}
    assert set(builder.files(image, len(image.layers) - 1)) == {"a", "a/c", "else"}
    assert builder.read(image, "old/f") == b"copied\n"
    old = builder.files(image)["old"]
    assert (old.uid, oct(old.mode)) == (5, "0o700")


def test_a_volume_leads_nowhere_outside(builder: Builder, files: dict[str, bytes]) -> None:
    outside = builder.scratch / "outside" / "b"
    outside.mkdir(parents=True)
    (outside / "kept").write_text("kept")
    text = f"{BASE}VOLUME /a/b\nRUN mv /a /c; ln -s {outside.parent} /a\n"
    with pytest.raises(BuildError, match="/a: the volume /a/b is in it, and it is no folder"):
        builder.build(text, files)
    assert (outside / "kept").read_text() == "kept"


def test_a_volume_over_a_file_is_refused(builder: Builder, files: dict[str, bytes]) -> None:
    with pytest.raises(BuildError, match="cannot mount volume over existing file"):
        builder.build(f"{BASE}VOLUME /bin/busybox\nRUN echo\n", files)


def test_a_failure_ends_with_the_commands_status(builder: Builder, files: dict[str, bytes]) -> None:
    """Reported as S13."""
    with pytest.raises(BuildError) as failed:
        builder.build(f"{BASE}RUN echo why >&2; exit 3\n", files)
    assert str(failed.value) == (
        "The command '/bin/sh -c echo why >&2; exit 3' returned a non-zero code: 3"
    )
    assert failed.value.exit_code == 3
    assert "\x1b[91mwhy\n\x1b[0m" in builder.said


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ('RUN ["nope"]', r'exec: "nope": executable file not found in \$PATH'),
        ('RUN ["/nope"]', 'exec: "/nope": stat /nope: no such file or directory'),
        ('RUN ["/etc/passwd"]', 'exec: "/etc/passwd": permission denied'),
        ("USER nobody\nRUN true", "unable to find user nobody: no matching entries in passwd"),
        ("USER app:nobody\nRUN true", "unable to find group nobody: no matching entries in group"),
        ("RUN --mount=type=cache,target=/x true", "the --mount option requires BuildKit"),
        ("RUN --network=none true", "the --network option requires BuildKit"),
        ("RUN touch /etc/.wh.passwd", "cannot have a name that begins with .wh."),
    ],
)
def test_what_cannot_be_run_says_why(
    builder: Builder, files: dict[str, bytes], step: str, message: str
) -> None:
    with pytest.raises(BuildError, match=message):
        builder.build(f"{BASE}{step}\n", files)
    assert list(builder.scratch.iterdir()) == []


def test_a_network_is_taken_away(builder: Builder, files: dict[str, bytes]) -> None:
    if machine.kind() != machine.NAMESPACES:
        pytest.skip("this machine gives no namespaces")
    builder.build(f"{BASE}RUN tail -n +3 /proc/net/dev | cut -d: -f1\n", files, network="none")
    assert "\n    lo\n ---> Removed" in builder.said


def test_under_proot_a_network_cannot_be_taken_away(
    builder: Builder, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABS_ISOLATION", "proot")
    with pytest.raises(BuildError, match="--network=none: commands run under PRoot here"):
        builder.build(BASE, files, network="none")


def test_a_heredoc_is_a_script(builder: Builder, files: dict[str, bytes]) -> None:
    image = builder.build(
        f"{BASE}RUN <<EOF\necho $0 >/one\necho two >/two\nEOF\n"
        "RUN <<A cat - /dev/fd/3 3<<B >/three\na\nA\nb\nB\n"
        "RUN <<EOF\n#!/bin/cat\necho three\nEOF\n",
        files,
    )
    assert builder.read(image, "two") == b"two\n"
    assert builder.read(image, "three") == b"a\nb\n"
    assert "\necho three\n" in builder.said


def test_the_same_command_gives_the_same_image(builder: Builder, files: dict[str, bytes]) -> None:
    text = f"{BASE}RUN mkdir /m && date > /tmp-date; rm /tmp-date; echo x > /m/x; touch /bin/sh\n"
    first = builder.build(text, files)
    assert builder.build(text, files, no_cache=True).id == first.id
    assert builder.build(text, files).id == first.id
    assert builder.said.count("Using cache") == 4
    # other build arguments, another step
    changed = text.replace("RUN mkdir", "ARG V=1\nRUN mkdir")
    builder.build(changed, files)
    builder.build(changed, files, build_args={"V": "2"})
    assert builder.said.count("Using cache") == 4


def test_the_end_of_the_command_is_the_end_of_all_it_started(
    builder: Builder, files: dict[str, bytes]
) -> None:
    builder.build(f"{BASE}RUN (sleep 1013 &) ; sleep 1013 & true\n", files)
    assert _sleeping("1013") == []


def test_a_command_has_a_time_limit(builder: Builder, files: dict[str, bytes]) -> None:
    with pytest.raises(BuildError, match="took longer than 1 s and was ended"):
        builder.build(f"{BASE}RUN echo begun; sleep 1001\n", files, run_seconds=1)
    assert _sleeping("1001") == []
    assert list(builder.scratch.iterdir()) == []


def test_everything_is_killed_when_the_engine_is_gone() -> None:
    start = "import sys; sys.path[:0] = [sys.argv[1]]; from keeper import command"
    start += "; sys.exit(command.main())"
    engine = subprocess.Popen(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            start,
            machine.KEEPER_HOME,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert engine.stdin
    assert engine.stdout
    words = ["/bin/sh", "-c", "sleep 1002 & echo begun; exec sleep 1002"]
    order = {"command": words, "environment": {"PATH": os.defpath}, "tracer": False}
    engine.stdin.write(json.dumps(order).encode() + b"\n")
    engine.stdin.flush()
    assert engine.stdout.readline() == b"begun\n"
    engine.stdin.close()
    assert engine.wait(10) == 137
    engine.stdout.close()
    assert _sleeping("1002") == []


def test_where_nothing_can_run_an_error_says_what_to_do(
    builder: Builder, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABS_ISOLATION", "none")
    with pytest.raises(BuildError, match=r"no way to run commands here.*apt install proot"):
        builder.build(BASE, files)


@pytest.mark.parametrize("there", [True, False], ids=["with", "without"])
def test_a_base_without_programs_says_so_with_and_without_proot(
    builder: Builder, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    # lab 06 prints this error, and its outputs are the same on every machine
    if not there:
        monkeypatch.setenv("LABS_ISOLATION", "none")
    with pytest.raises(
        BuildError, match=r"stat /bin/sh: no such file.*the image does not have this"
    ):
        builder.build("FROM scratch\nCOPY f /\nRUN apt-get update\n", {"f": "x"})


def test_a_closed_build_leaves_nothing_running(builder: Builder, files: dict[str, bytes]) -> None:
    from labs_helpers.engine.build import BuildOptions, build

    context = archive({"Dockerfile": f"{BASE}RUN echo begun; sleep 1003\n", **files})
    messages = build(context, BuildOptions(scratch=builder.scratch), builder.store, builder._pull)
    for message in messages:
        if message.get("stream") == "begun\n":
            break
    messages.close()  # type: ignore[attr-defined]
    assert _sleeping("1003") == []
    assert list(builder.scratch.iterdir()) == []


def test_a_run_that_is_cancelled_leaves_nothing_in_the_machines_tmp(
    builder: Builder, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PRoot of Debian 12 keeps files there, under names with its own process's number.
    Reported as D15.
    """
    from labs_helpers.engine.build import BuildOptions, build

    monkeypatch.setenv("LABS_ISOLATION", "proot")
    context = archive({"Dockerfile": f"{BASE}RUN echo tracer $PPID; sleep 1005\n", **files})
    messages = build(context, BuildOptions(scratch=builder.scratch), builder.store, builder._pull)
    begun = next(text for each in messages if "\ntracer " in (text := f"\n{each.get('stream')}"))
    messages.close()  # type: ignore[attr-defined]
    assert _sleeping("1005") == []
    number = begun.split()[-1]
    assert not list(Path(tempfile.gettempdir()).glob(f"proot*-{number}-*"))


def _sleeping(seconds: str) -> list[str]:
    """Processes of a test, which each sleep another time."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[-3:-1] == [b"sleep", seconds.encode()]:
            found.append(process.name)
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_an_ordinary_user_builds_the_same_owners_and_modes() -> None:
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        pytest.skip("no python3 that other users may run")
    # pytest's own folders are closed to other users
    folder = Path(tempfile.mkdtemp(prefix="labs"))
    text = (
        f"{BASE}COPY --chown=1000:5 --chmod=000 f /zero\nCOPY --chmod=555 f /ro/x\n"
        "RUN cat /zero >> /ro/x; chmod 500 /ro; rm /etc/passwd; echo > /dev/null;"
        " mkdir -m 777 /open\n"
        "USER 7:8\nRUN touch /open/made; echo $(id -u):$(id -g)\n"
        "VOLUME /v /ro\nUSER 0\nRUN ls /ro; echo 1 > /v/x; touch /made2\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.engine.build.as_nobody", str(folder)],
            input=text,
            env={**os.environ, "OPEN_PYTHON": python},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["left"], found["error"]) == ([], "")
    assert "\n7:8\n" in found["said"]
    assert "\nx\n ---> Removed" in found["said"]
    assert found["layers"][-3:] == [
        {
            "etc": ["0o755", 0, 0],
            "etc/.wh.passwd": ["0o0", 0, 0],
            "open": ["0o777", 0, 0],
            "ro": ["0o500", 0, 0],
            "ro/x": ["0o555", 0, 0],
        },
        {"open": ["0o777", 0, 0], "open/made": ["0o644", 7, 8]},
        {"made2": ["0o644", 0, 0], "v": ["0o755", 0, 0]},
    ]


def test_a_host_can_be_added(builder: Builder, files: dict[str, bytes]) -> None:
    """Reported as S12."""
    hosts = ["10.0.0.1\tdb", "::1\tsix"]
    builder.build(f"{BASE}RUN grep -E 'db|six' /etc/hosts\n", files, hosts=hosts)
    assert "10.0.0.1\tdb\n::1\tsix\n" in builder.said
    assert "\tdb" not in Path("/etc/hosts").read_text()


def test_folders_may_be_nested_as_deep_as_a_path_can_be(tmp_path: Path) -> None:
    folder = RootFolder(Tree(), tmp_path, 0)
    here = folder.path
    for _ in range(1200):
        here /= "d"
        here.mkdir()
    assert len(folder.hand_over(None)) == 1200
    folder.close()
    assert list(tmp_path.iterdir()) == []


SAME = """\
RUN mkdir -p /a/b; echo hi > /a/b/c; chmod 4750 /a/b/c; ln /a/b/c /a/hard; ln -s b /a/soft
RUN rm -r /a/b; mkfifo /a/pipe; echo > /etc/new; chmod 700 /etc
RUN echo 1 > /proc/x || echo 2 > /dev/x; mkdir -m 1777 /tmp; touch /tmp/x
RUN <<EOF
#!/bin/cat
EOF
WORKDIR /work/deep
RUN echo here > f
VOLUME /v
RUN echo lost > /v/x; mkdir /v/d; echo kept > /else
USER app
RUN touch /tmp/mine; mkdir /tmp/folder; id -u > /tmp/number
USER 7:8
RUN touch /tmp/other
"""


DENIED = [
    ("touch /app/x", "touch: /app/x: Permission denied"),
    ("echo >> /app/roots", "can't create /app/roots: Permission denied"),
    ("rm /app/roots", "rm: can't remove '/app/roots': Permission denied"),
    ("cat /secret", "cat: can't open '/secret': Permission denied"),
    ("ls /closed", "ls: can't open '/closed': Permission denied"),
    ("touch /etc/passwd /x", "touch: /x: Permission denied"),
]
ALLOWED = ["touch /app/own/x", "echo >> /app/group", "cat /app/roots", "touch /tmp/x"]
OWNED = (
    f"{BASE}COPY <<EOF /etc/group\nteam:x:5:app\nEOF\nWORKDIR /app\n"
    "RUN echo > roots; echo > group; chown 0:5 group; chmod 664 group; mkdir own;"
    " chown app own; echo > /secret; chmod 600 /secret; mkdir -m 700 /closed; mkdir -m 1777 /tmp\n"
    "USER app\n"
)


def test_a_user_may_do_what_the_owners_and_modes_say() -> None:
    """Reported as F12."""
    lines = "".join(f"RUN ({c}) 2>&1 || echo failed\n" for c, _ in DENIED)
    lines += "".join(f"RUN {command} && echo done\n" for command in ALLOWED)
    text = OWNED + lines + "USER root\nRUN touch /app/x && cat /secret\n"
    found = as_user(text, uid=0)
    for command, said in DENIED:
        assert f"{said}\nfailed\n" in found["said"], command
    assert found["said"].count("\ndone\n") == len(ALLOWED)
    assert found["layers"][-1]["app/x"] == ["0o644", 0, 0]
    assert found["left"] == []


@pytest.mark.parametrize("command", ["touch /app/x", "echo >> /etc/passwd", "rm /app/roots"])
def test_an_ordinary_users_engine_says_what_a_user_may_not_write(command: str) -> None:
    base = f"{BASE}WORKDIR /app\nRUN echo > roots; mkdir -m 1777 /tmp\nUSER app\n"
    allowed = "RUN touch /tmp/x; mkdir /tmp/y; touch /tmp/y/z\n"
    assert "[Warning]" not in as_user(base + allowed, NOBODY)["said"]
    found = as_user(f"{base}RUN {command}\n", NOBODY)
    assert f"[Warning] USER app wrote /{command.split('/', 1)[1]}, which a real" in found["said"]


def test_a_command_ends_no_process_outside() -> None:
    # without namespaces, this would end all processes of the user, the engine included; process 1
    # is spared: https://man7.org/linux/man-pages/man2/kill.2.html
    """Reported as D17."""
    found = as_user(f"{BASE}RUN sleep 1004 & kill -9 -1; wait; echo left\n", NOBODY)
    assert "\nleft\n" in found["said"]


@pytest.mark.parametrize("isolation", ["namespaces", "proot"])
def test_a_command_signals_no_process_outside(
    builder: Builder, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    """D17 without namespaces, too, where the kernel has Landlock's scopes. Reported as D17."""
    if isolation == "namespaces" and machine.kind() != machine.NAMESPACES:
        pytest.skip("this machine gives no namespaces")
    if not scopes.are_there():
        pytest.skip("this kernel has no scopes of Landlock")
    monkeypatch.setenv("LABS_ISOLATION", isolation)
    with subprocess.Popen(["sleep", "600"]) as outside:
        try:
            builder.build(f"{BASE}RUN kill -9 {outside.pid} || echo kept\n", files)
            assert outside.poll() is None
        finally:
            outside.kill()
    assert "kept\n" in builder.said


def as_user(
    text: str,
    uid: int,
    left: Callable[[Path], None] = lambda folder: None,
    fails: bool = False,
    **variables: str,
) -> dict[str, Any]:
    """Build as root (0), or as an ordinary user.

    ``left`` leaves in the folder of the builds what an earlier engine left there.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if machine.kind() != machine.NAMESPACES:
        pytest.skip("this machine gives no namespaces")
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        pytest.skip("no python3 that other users may run")
    folder = Path(tempfile.mkdtemp(prefix="labs"))
    folder.chmod(0o755)
    left(folder)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.engine.build.as_nobody", str(folder), str(uid)],
            input=text,
            env={**os.environ, "OPEN_PYTHON": python, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert bool(found["error"]) == fails, found
    return found


def test_devices_that_cannot_be_made_are_the_machines(
    builder: Builder, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "mknod", refused)
    builder.build(
        f"{BASE}RUN echo lost > /dev/null && head -c 3 /dev/zero | od -An -tx1\n"
        "RUN ls -s /dev/null\n",
        files,
    )
    assert "\n 00 00 00\n" in builder.said
    assert "0 /dev/null\n" in builder.said
