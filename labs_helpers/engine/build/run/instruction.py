"""The RUN instruction: its command, the cache, and the new layer.

Source: https://github.com/moby/moby/blob/v26.1.5/builder/dockerfile/dispatchers.go (dispatchRun)
and, for heredocs, which the classic builder lacks,
https://github.com/moby/buildkit/blob/v0.13.2/frontend/dockerfile/dockerfile2llb/convert.go
"""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ...errors import NotSupported
from ...machine import NAMESPACES, NONE, PROOT
from ...platform import of_machine
from ...streams import map_generator
from ..dockerfile import Instruction, file_name
from ..errors import BuildError, cannot_run, no_program
from ..layer import Changes
from ..metadata import current_shell
from ..stage import Message, StageState
from ..tree import FILE, LinkLoop, Tree
from . import owners, proot
from .accounts import Account, UnknownAccount, find_account
from .changes import Stat
from .command import HOST_NAME, Command, TookTooLong, has_true_users, kind, prepare
from .command import run as run_command
from .rootfs import RootFolder
from .volumes import VolumeError, Volumes

_SCRIPTS = "/dev/pipes"
_POSIX_SHELLS = {"ash", "bash", "dash", "sh", "zsh"}
_RED, _PLAIN = "\x1b[91m", "\x1b[0m"
"""The classic builder's marks around the stderr of a command."""


_NOT_ALLOWED = (
    "[Warning] USER {} wrote /{}, which a real Docker refuses (Permission denied), unless a RUN has"
    " changed the owner with chown: this engine does not run as root, and so has one user only\n"
)


_BEYOND_RANGE = "[Warning] {}: so all files belong to one user while this command runs\n"


@dataclass(frozen=True)
class _Invocation:
    """The words to run, and a script (name, content) to put into the image's /dev for them."""

    words: list[str]
    script: tuple[str, str] | None = None
    shell: bool = False
    """Whether the last word is a shell script."""


def run(
    state: StageState,
    step: Instruction,
    arguments: Mapping[str, str],
    predefined: Mapping[str, str],
) -> Iterator[Message]:
    """Carry out a RUN.

    Args:
        arguments: the build arguments that the command sees beside ENV; part of the cache key.
        predefined: Docker's predefined arguments (proxies), which the cache ignores.

    Raises:
        BuildError: the command cannot run here, or its exit status is not 0.
    """
    _refuse_flags(step)
    invocation = _invocation(step, current_shell(state.config))
    command_text = " ".join(
        invocation.words if invocation.script is None else [*invocation.words, invocation.script[1]]
    )
    pairs = [f"{name}={value}" for name, value in sorted(arguments.items())]
    comment = " ".join([f"|{len(pairs)}", *pairs, command_text]) if pairs else command_text
    cached = state.find(comment)
    if cached:
        yield from state.use(cached)
        return
    program = _program(state.root(), invocation, state.config)
    isolation = kind()
    if isolation == NONE:
        raise cannot_run(step.original, step.line)
    _check_machine(state, program)
    if state.options.network == "none" and isolation != NAMESPACES:
        raise BuildError(
            "--network=none: commands run under PRoot here, which cannot take the network away from"
            " them; build without the option, or with a real Docker daemon (LABS_ENGINE=docker)"
        )
    command = _command(state, invocation, {**predefined, **arguments}, isolation)
    if isolation == NAMESPACES:
        try:
            users = owners.users_for(state.root(), command.account, state.options.scratch)
            command = replace(command, users=users)
        except NotSupported as error:
            yield {"stream": _BEYOND_RANGE.format(error)}
    yield from _execute(state, command, command_text, comment)


def _execute(
    state: StageState,
    command: Command,
    command_text: str,
    comment: str,
) -> Iterator[Message]:
    container = _container_id(state, comment)
    yield {"stream": f" ---> Running in {container}\n"}
    folder = state.folder()
    prepare(folder)
    volumes = _mount_volumes(state, folder)
    before = volumes.before(folder.hand_over(command.users))
    seconds = state.options.run_seconds
    output = run_command(folder, command, seconds)
    try:
        status = yield from map_generator(_output_message, output)
    except TookTooLong:
        raise BuildError(
            f"The command '{command_text}' took longer than {seconds:.0f} s and was ended"
        ) from None
    if status:
        raise BuildError(
            f"The command '{command_text}' returned a non-zero code: {status}", exit_code=status
        )
    try:
        changes = _changes(folder, volumes, before, command)
    except VolumeError as error:
        raise BuildError(str(error)) from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise BuildError(
            f"The command '{command_text}' left a path that is longer than this system allows"
        ) from error
    if command.account.uid != 0 and not has_true_users(command):
        denied = folder.observer.written_without_permission(changes, command.account)
        if denied:
            yield {"stream": _NOT_ALLOWED.format(state.config["User"], denied)}
    marked = next((p for p in changes.entries if posixpath.basename(p).startswith(".wh.")), None)
    if marked:
        raise BuildError(f"/{marked}: a layer cannot have a name that begins with .wh.")
    yield {"stream": f" ---> Removed intermediate container {container}\n"}
    yield from state.commit_run(comment, changes)


def _changes(
    folder: RootFolder, volumes: Volumes, before: dict[str, Stat], command: Command
) -> Changes:
    """What the command changed. Raises VolumeError, OSError."""
    after = folder.take_back(command.users)
    volumes.unmount()
    after = volumes.after(after)
    if has_true_users(command):
        return folder.observer.changes(before, after, None)
    changes = folder.observer.changes(before, after, command.account)
    return volumes.with_owners(changes, after, os.geteuid())


def _output_message(output: tuple[bool, str]) -> Message:
    is_error, text = output
    return {"stream": f"{_RED}{text}{_PLAIN}" if is_error and text else text}


def _mount_volumes(state: StageState, folder: RootFolder) -> Volumes:
    try:
        volumes = Volumes(folder, state.root(), state.config.get("Volumes") or {})
        volumes.mount()
    except VolumeError as error:
        raise BuildError(str(error)) from error
    return volumes


def _refuse_flags(step: Instruction) -> None:
    for name, value in step.flags.items():
        if (name, value) not in {("network", "default"), ("security", "sandbox")}:
            raise BuildError(
                f"the --{name} option requires BuildKit. Refer to"
                " https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit"
                " enabled",
                step.line,
            )


def _invocation(step: Instruction, shell: list[str]) -> _Invocation:
    if step.json:
        return _Invocation(list(step.args))
    if not step.args:
        return _Invocation(shell)
    line = step.args[0]
    if not step.files:
        return _Invocation([*shell, line], shell=True)
    (name, (content, _)), *others = step.files.items()
    if not others and _is_only_heredoc(line):
        if content.startswith("#!"):
            file_name(name, step.line)
            return _Invocation([*shell, f"{_SCRIPTS}/{name}"], (name, content), shell=True)
        return _Invocation([*shell, content], shell=True)
    # the shell reads the heredocs itself
    documents = "".join(f"{content}{name}\n" for name, (content, _) in step.files.items())
    return _Invocation([*shell, f"{line}\n{documents}"], shell=True)


def _is_only_heredoc(line: str) -> bool:
    try:
        return line.startswith("<<") and len(shlex.split(line)) == 1
    except ValueError:
        return False


def _command(
    state: StageState, invocation: _Invocation, arguments: Mapping[str, str], isolation: str
) -> Command:
    account = _account(state)
    environment = dict(arguments)
    for pair in state.config.get("Env") or []:
        name, _, value = pair.partition("=")
        environment[name] = value
    environment.setdefault("HOME", account.home)
    environment.setdefault("HOSTNAME", HOST_NAME)
    folder = state.config.get("WorkingDir") or "/"
    words = list(invocation.words)
    if isolation == PROOT and invocation.shell and posixpath.basename(words[0]) in _POSIX_SHELLS:
        # PRoot passes on its own variable, which names a folder of this machine
        words[-1] = f"unset {proot.FOLDER_VARIABLE}; {words[-1]}"
    network = "none" if state.options.network == "none" else "host"
    script = (invocation.words[-1], invocation.script[1]) if invocation.script else None
    return Command(
        words,
        environment,
        folder,
        account,
        state.options.hosts,
        network,
        script,
        of_build=state.options.of_build,
    )


def _account(state: StageState) -> Account:
    try:
        return find_account(state.config.get("User") or "", state.root())
    except UnknownAccount as error:
        raise BuildError(str(error)) from error


def _container_id(state: StageState, comment: str) -> str:
    """The twelve digits of a container ID: random in Docker, here the same for the same step."""
    parent = state.image.id if state.image else ""
    return hashlib.sha256(f"{parent} {comment}".encode()).hexdigest()[:12]


def _program(root: Tree, invocation: _Invocation, config: Mapping[str, object]) -> str:
    """The path of the program in the image. Raises BuildError in runc's words."""
    word = invocation.words[0] if invocation.words else ""
    if "/" in word:
        workdir = str(config.get("WorkingDir") or "/")
        places = [posixpath.join("/", workdir, word)]
    else:
        env = config.get("Env")
        pairs = [str(pair) for pair in env] if isinstance(env, list) else []
        path = next((p.partition("=")[2] for p in pairs if p.startswith("PATH=")), "")
        places = [posixpath.join(folder, word) for folder in path.split(":") if folder]
    for place in places if word else []:
        try:
            entry = root.get(root.resolve(place))
        except LinkLoop:
            continue
        if entry and entry.kind == FILE:
            if entry.mode & 0o111:
                return place
            if "/" in word:
                raise no_program(f'exec: "{word}": permission denied')
    if "/" in word:
        raise no_program(f'exec: "{word}": stat {word}: no such file or directory')
    raise no_program(f'exec: "{word}": executable file not found in $PATH')


def _check_machine(state: StageState, program: str) -> None:
    ours = of_machine()
    theirs = str(state.image.config.get("architecture") or ours) if state.image else ours
    if theirs != ours:
        raise BuildError(
            f"exec {program}: exec format error: the image is for {theirs} and this machine is"
            f" {ours}; build it with --platform linux/{ours}, from a base image for that"
        )
