"""A program in namespaces of its own: started, or added to a container that runs.

Works for an ordinary user (in a user namespace: users.py) and for root. The caller has no
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
import stat

from . import cgroup, namespaces, network, rights, root_folder, terminal, tracer, users
from . import syscalls as sys
from .words import CannotStart, find_program

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes a megabyte
    from collections.abc import Callable
    from typing import Any, NoReturn

    Spec = dict[str, Any]
    """What to start, as the engine writes it (engine/containers/spec.py says what is in it)."""


_MOST_FILES = 1 << 16
"""One more than the highest descriptor that the keeper can have."""
_LONGEST, _END = 4000, 200
"""Characters of a reported error: a name in it may be longer than a message between processes."""


class Launched:
    """A started program: its pid here, its terminal if any, and sockets of its network namespace.

    ``stock`` are unconnected sockets, through which the caller reaches the program's ports;
    ``listeners`` are sockets that listen inside, one for each relay of the specification.
    ``cgroups`` are the folders of the container's cgroups, to remove after its end.
    """

    def __init__(self) -> None:
        self.pid = 0
        self.terminal: int | None = None
        self.cgroups: list[str] = []
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
    groups = _cgroups(spec) if of is None else cgroup.of(of)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    maker = os.fork()
    if maker == 0:
        _as_child(theirs, ours, lambda: _make(spec, stdio, of, theirs, groups))
    theirs.close()
    found = Launched()
    found.cgroups = groups
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


def _cgroups(spec: Spec) -> list[str]:
    """The cgroups of a new container. Raises CannotStart when its memory cannot be limited."""
    owner, _, name = spec["folder"].rpartition("/")
    # an ordinary user's processes have a limit of their own (rights.py)
    limits = {cgroup.PROCESSES: 0 if spec["user_namespace"] else spec["processes"]}
    memory, both = spec["memory"]
    limits |= {cgroup.MEMORY: memory, cgroup.SWAP: both}
    made = cgroup.make(owner, name, limits)
    if made is None and memory:
        raise CannotStart("its memory cannot be limited: no cgroup may be made", 128)
    return made or []


def _receive(ours: socket.socket, found: Launched, until: str) -> None:
    """Take messages up to the one named; "" takes all, until exec closes the other end."""
    while True:
        data, descriptors = namespaces.receive(ours)
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
    cgroup.remove(found.cgroups)
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
    if len(message) > _LONGEST:
        message = f"{message[:_LONGEST]} ... {message[-_END:]}"
    with contextlib.suppress(OSError):
        theirs.send(json.dumps({"error": message, "code": code}).encode())


def _make(
    spec: Spec,
    stdio: tuple[int, int, int] | None,
    of: int | None,
    theirs: socket.socket,
    groups: list[str],
) -> None:
    """The maker: enter the cgroup and the namespaces, fork the program, say its pid."""
    cgroup.enter(groups)
    # other processes of the container could trace this one, or open its program and files
    sys.prctl(sys.DUMPABLE, 0)
    if of is None:
        _enter_new(spec, theirs)
    else:
        namespaces.enter(of, bool(spec["user_namespace"]))
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
        users.enter(flags, spec["uid"], spec["gid"], spec["users"])
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
    # the keeper's own: a path such as /proc/self/fd/9 must lead to nothing of the machine
    os.closerange(3, theirs.fileno())
    os.closerange(theirs.fileno() + 1, _MOST_FILES)
    os.umask(0o022)
    root_folder.change_folder(spec["cwd"], spec["uid"], spec["gid"])
    _own_streams(spec["uid"])
    rights.give_up(spec)
    # a change of the user has taken the signal away
    sys.prctl(sys.DEATH_SIGNAL, signal.SIGKILL)
    program = find_program(spec["words"], spec["environment"])
    if first and spec["init"]:
        _stay_as_init()
    environment = dict(pair.partition("=")[::2] for pair in spec["environment"])
    try:
        os.execve(program, spec["words"], environment)
    except OSError as error:
        raise CannotStart.at_exec(program, error) from error


def _own_streams(uid: int) -> None:
    """Give the streams to the program's user, who may open /dev/stdout and /dev/stderr, as runc."""
    for descriptor in (0, 1, 2):
        found = os.fstat(descriptor)
        if stat.S_ISFIFO(found.st_mode) or os.isatty(descriptor):
            with contextlib.suppress(PermissionError):  # another user than the only one
                os.fchown(descriptor, uid, -1)


def _stay_as_init() -> None:
    """Fork; the parent stays as process 1, hands signals on and reaps. Returns in the child."""
    child = os.fork()
    if child == 0:
        return
    # the descriptor that says whether exec succeeded is the child's alone
    os.closerange(3, _MOST_FILES)
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        signal.signal(number, lambda number, _: os.kill(child, number))
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
