"""A program in namespaces of its own: started, or added to a container that runs.

Works for an ordinary user (in a user namespace with that one user) and for root. The caller has no
threads. The steps of a start, with the names used below:

- the *maker* is forked, enters new namespaces and makes the sockets that must be made inside the
  network namespace; it forks the *program* and ends, so that the caller becomes the program's
  parent and reaps it;
- the program waits until the caller says go, arranges mounts, gives up its rights, and execs.

Both report over one socket pair; a descriptor of it that exec closes says that the program runs.
Sources: https://man7.org/linux/man-pages/man7/user_namespaces.7.html and
https://github.com/opencontainers/runc/blob/v1.2.4/libcontainer/SPEC.md (mounts, devices, masked and
read-only paths).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket

from . import cgroup, network, rights, root_folder, terminal, tracer
from . import syscalls as sys
from .words import CannotStart, find_program

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes a megabyte
    from collections.abc import Callable
    from typing import Any, NoReturn

    Spec = dict[str, Any]
    """What to start, as the engine writes it (engine/containers/spec.py says what is in it)."""

_NAMESPACES = ("user", "mnt", "net", "pid", "ipc", "uts")
_MESSAGE = 1 << 16
_FDS = 64


class Launched:
    """A started program: its pid here, its terminal if any, and sockets of its network namespace.

    ``stock`` are unconnected sockets, through which the caller reaches the program's ports;
    ``listeners`` are sockets that listen inside, one for each relay of the specification.
    ``cgroup`` is the folder of the cgroup, if the container has one, to remove after its end.
    """

    def __init__(self) -> None:
        self.pid = 0
        self.terminal: int | None = None
        self.cgroup: str | None = None
        self.stock: list[socket.socket] = []
        self.listeners: list[socket.socket] = []


def launch(spec: Spec, stdio: tuple[int, int, int] | None, of: int | None = None) -> Launched:
    """Start the program of a specification; return once exec has succeeded.

    Args:
        stdio: the program's stdin, stdout and stderr; None gives the program a terminal.
        of: the pid of a container's first process, whose namespaces the program joins; None makes
            new ones.

    Raises:
        CannotStart: the message is runc's, and ``code`` the exit status that Docker gives.
    """
    if spec.get("proot"):
        traced = Launched()
        traced.pid, traced.terminal = tracer.launch(spec, stdio)
        return traced
    group = None
    if not spec["user_namespace"]:
        if of is None:
            owner, _, name = spec["folder"].rpartition("/")
            group = cgroup.make(owner, name, spec["processes"])
        else:
            group = cgroup.of(of)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    maker = os.fork()
    if maker == 0:
        _as_child(theirs, ours, lambda: _make(spec, stdio, of, theirs, group))
    theirs.close()
    found = Launched()
    found.cgroup = group
    try:
        _receive(ours, found, "pid")
        os.waitpid(maker, 0)
        maker = 0
        # only now is this process the parent, whose death kills the program
        ours.send(b"go")
        _receive(ours, found, "")
    except BaseException:
        if maker:
            os.waitpid(maker, 0)
        _give_up(found)
        raise
    finally:
        ours.close()
    return found


def _receive(ours: socket.socket, found: Launched, until: str) -> None:
    """Take messages up to the one named; "" takes all, until exec closes the other end."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(ours, _MESSAGE, _FDS)
        if not data:
            if until:
                raise CannotStart("the container's first process was killed at its start", 128)
            return
        message = json.loads(data)
        if "error" in message:
            raise CannotStart(message["error"], message["code"])
        found.pid = message.get("pid", found.pid)
        if "terminal" in message:
            found.terminal = descriptors[0]
        for key in ("stock", "listeners"):
            if key in message:
                setattr(found, key, [socket.socket(fileno=number) for number in descriptors])
        if until and until in message:
            return


def _give_up(found: Launched) -> None:
    if found.pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGKILL)
        os.waitpid(found.pid, 0)
    if found.cgroup:
        cgroup.remove(found.cgroup)
    for each in (*found.stock, *found.listeners):
        each.close()
    if found.terminal is not None:
        os.close(found.terminal)


def _as_child(theirs: socket.socket, ours: socket.socket, run: Callable[[], None]) -> NoReturn:
    """Run as a forked child, and report what fails; never return."""
    try:
        ours.close()
        for number in range(1, signal.NSIG):
            with contextlib.suppress(OSError, ValueError):  # those that cannot be set
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        run()
    except CannotStart as error:
        _report(theirs, str(error), error.code)
    except OSError as error:
        # the path, if any, stands in the message
        _report(theirs, f"error during container init: {error}", 126 if error.errno == 13 else 128)
    except BaseException as error:  # noqa: BLE001 - the only way to say anything from here
        _report(theirs, f"error during container init: {type(error).__name__}: {error}", 128)
    finally:
        os._exit(0)


def _report(theirs: socket.socket, message: str, code: int) -> None:
    with contextlib.suppress(OSError):
        theirs.send(json.dumps({"error": message, "code": code}).encode())


def _make(
    spec: Spec,
    stdio: tuple[int, int, int] | None,
    of: int | None,
    theirs: socket.socket,
    group: str | None,
) -> None:
    """The maker: enter the cgroup and the namespaces, fork the program, say its pid."""
    if group:
        cgroup.enter(group)
    # other processes of the container could trace this one, or open its program and files
    sys.prctl(sys.DUMPABLE, 0)
    if of is None:
        _enter_new(spec, theirs)
    else:
        enter(of, bool(spec["user_namespace"]))
    pid = os.fork()
    if pid == 0:
        _as_child(theirs, theirs.dup(), lambda: _become(spec, stdio, of is None, theirs))
    theirs.send(json.dumps({"pid": pid}).encode())


def _enter_new(spec: Spec, theirs: socket.socket) -> None:
    flags = sys.NEW_MOUNTS | sys.NEW_PROCESSES | sys.NEW_NAMES | sys.NEW_IPC
    if spec["network"] != "host":
        flags |= sys.NEW_NETWORK
    if not spec["user_namespace"]:
        sys.unshare(flags)
    else:
        enter_user_namespace(flags, spec["uid"], spec["gid"])
    if spec["network"] == "host":
        return
    network.loopback_up()
    if spec["ports"]:
        stock = [socket.socket() for _ in range(network.STOCK)]
        socket.send_fds(theirs, [b'{"stock": 1}'], [each.fileno() for each in stock])
    if spec["relays"]:
        listeners = [network.listen(address, port) for address, port, _ in spec["relays"]]
        descriptors = [each.fileno() for each in listeners]
        socket.send_fds(theirs, [b'{"listeners": 1}'], descriptors)


def enter_user_namespace(flags: int, uid: int, gid: int) -> None:
    """Enter new namespaces; ``uid`` and ``gid`` in them are this process's user and group.

    An ordinary user may map one user only: all files of that user belong to ``uid`` inside.
    Raises OSError where namespaces are forbidden.
    """
    user, group = os.geteuid(), os.getegid()
    # an undumpable process may not write its own maps
    sys.prctl(sys.DUMPABLE, 1)
    sys.unshare(flags | sys.NEW_USERS)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {user} 1"),
        ("gid_map", f"{gid} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - no pathlib: memory
            file.write(text)
    sys.prctl(sys.DUMPABLE, 0)


def enter(of: int, user_namespace: bool) -> None:
    """Join the namespaces of a process. The names are opened first: entering hides /proc."""
    opened = []
    for name in _NAMESPACES if user_namespace else _NAMESPACES[1:]:
        descriptor = os.open(f"/proc/{of}/ns/{name}", os.O_RDONLY)
        if os.fstat(descriptor).st_ino != os.stat(f"/proc/self/ns/{name}").st_ino:  # noqa: PTH116
            opened.append(descriptor)
    for descriptor in opened:
        sys.setns(descriptor)
        os.close(descriptor)


def sockets_of(of: int, user_namespace: bool) -> list[socket.socket]:
    """New unconnected sockets of a container's network namespace. Raises OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        try:
            for name in ("user", "net") if user_namespace else ("net",):
                descriptor = os.open(f"/proc/{of}/ns/{name}", os.O_RDONLY)
                sys.setns(descriptor)
            stock = [socket.socket() for _ in range(network.STOCK)]
            socket.send_fds(theirs, [b"{}"], [each.fileno() for each in stock])
        finally:
            os._exit(0)
    theirs.close()
    _, descriptors, _, _ = socket.recv_fds(ours, _MESSAGE, _FDS)
    os.waitpid(child, 0)
    ours.close()
    return [socket.socket(fileno=number) for number in descriptors]


def _become(
    spec: Spec, stdio: tuple[int, int, int] | None, first: bool, theirs: socket.socket
) -> None:
    """The program's process: wait for go, arrange mounts, give up rights, exec."""
    if theirs.recv(8) != b"go":
        os._exit(137)
    sys.prctl(sys.DEATH_SIGNAL, signal.SIGKILL)
    os.setsid()
    if first:
        root_folder.arrange(spec)
        sys.set_host_name(spec["hostname"])
    if stdio is None:
        master, stdio = terminal.open_pair(spec.get("size"))
        socket.send_fds(theirs, [b'{"terminal": 1}'], [master])
        os.close(master)
    for place, descriptor in enumerate(stdio):
        os.dup2(descriptor, place)
    os.umask(0o022)
    root_folder.change_folder(spec["cwd"], spec["uid"], spec["gid"])
    rights.give_up(spec)
    program = find_program(spec["words"], spec["environment"])
    if first and spec["init"]:
        _stay_as_init()
    environment = dict(pair.partition("=")[::2] for pair in spec["environment"])
    try:
        os.execve(program, spec["words"], environment)
    except OSError as error:
        raise CannotStart.at_exec(program, error) from error


def _stay_as_init() -> None:
    """Fork; the parent stays as process 1, hands signals on and reaps. Returns in the child."""
    child = os.fork()
    if child == 0:
        return
    # the descriptor that says whether exec succeeded is the child's alone
    os.closerange(3, 1 << 12)
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        signal.signal(number, lambda number, _: os.kill(child, number))
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def probe(folder: str) -> int:
    """What this machine gives: 0 namespaces and overlays in ``folder``, 1 namespaces, 2 neither."""
    user_namespace = os.geteuid() != 0
    child = os.fork()
    if child == 0:
        answer = 2
        try:
            flags = sys.NEW_MOUNTS | sys.NEW_PROCESSES | sys.NEW_NAMES | sys.NEW_IPC
            flags |= sys.NEW_NETWORK
            if not user_namespace:
                sys.unshare(flags)
            else:
                enter_user_namespace(flags, 0, 0)
            network.loopback_up()
            inner = os.fork()
            if inner == 0:
                answer = _probe_mounts(folder, user_namespace)
                os._exit(answer)
            answer = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
        finally:
            os._exit(answer if answer >= 0 else 2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _probe_mounts(folder: str, user_namespace: bool) -> int:
    answer = 2
    try:
        sys.mount("none", "/", "", sys.PRIVATE | sys.RECURSIVE)
        sys.mount("proc", "/proc", "proc", root_folder.QUIET)
        answer = 1
        os.chdir(folder)
        for name in ("lower", "upper", "work", "root"):
            os.makedirs(name, exist_ok=True)  # noqa: PTH103 - no pathlib: memory
        options = "lowerdir=lower,upperdir=upper,workdir=work,volatile"
        extra = ",userxattr" if user_namespace else ""
        sys.mount("overlay", "root", "overlay", 0, options + extra)
        answer = 0
    except OSError:
        return answer
    return answer
