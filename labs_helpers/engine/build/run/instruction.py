"""RUN: what is run, whether the cache has it, and the layer that it leaves.

Source: https://github.com/moby/moby/blob/v26.1.5/builder/dockerfile/dispatchers.go (dispatchRun)
and, for heredocs, which the classic builder lacks,
https://github.com/moby/buildkit/blob/v0.13.2/frontend/dockerfile/dockerfile2llb/convert.go
"""

from __future__ import annotations

import hashlib
import platform
import posixpath
import shlex
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..dockerfile import Instruction
from ..errors import BuildError, cannot_run, no_program
from ..metadata import current_shell
from ..run import proot
from ..stage import Message, StageState
from ..tree import FILE, LinkLoop, Tree
from .accounts import Account, UnknownAccount, account
from .rootfs import RootFolder
from .volumes import VolumeError, Volumes

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_SCRIPTS = "dev/pipes"
_POSIX_SHELLS = {"ash", "bash", "dash", "sh", "zsh"}
_RED, _PLAIN = "\x1b[91m", "\x1b[0m"
"""How the classic builder marks what a command says on stderr."""


@dataclass(frozen=True)
class _Order:
    """The words to run, and a script that must lie in the image's /dev for it."""

    words: list[str]
    script: tuple[str, str] | None = None
    shell: bool = False
    """Whether the last word is a text for a shell."""


def run(
    state: StageState,
    step: Instruction,
    arguments: Mapping[str, str],
    predefined: Mapping[str, str],
) -> Iterator[Message]:
    """Carry out a RUN.

    Args:
        arguments: the build arguments that it sees beside ENV; other values, another step.
        predefined: those of Docker, proxies, which do not count for the cache.

    Raises:
        BuildError: it cannot be run here, or ends with another status than 0.
    """
    _refuse_flags(step)
    order = _order(step, current_shell(state.config))
    shown = " ".join(order.words if order.script is None else [*order.words, order.script[1]])
    pairs = [f"{name}={value}" for name, value in sorted(arguments.items())]
    comment = " ".join([f"|{len(pairs)}", *pairs, shown]) if pairs else shown
    cached = state.find(comment)
    if cached:
        yield from state.use(cached)
        return
    program = _program(state.root(), order, state.config)
    found = proot.available()
    if found is None:
        raise cannot_run(step.original, step.line)
    _check_machine(state, program)
    if state.options.network == "none":
        raise BuildError(
            "--network=none: this engine cannot take the network away from a command; build"
            " without the option, or with a real Docker daemon (LABS_ENGINE=docker)"
        )
    command = _command(state, order, {**predefined, **arguments})
    yield from _executed(found, state, order, command, shown, comment)


def _executed(
    found: Path,
    state: StageState,
    order: _Order,
    command: proot.Command,
    shown: str,
    comment: str,
) -> Iterator[Message]:
    container = _container(state, comment)
    yield {"stream": f" ---> Running in {container}\n"}
    folder = state.folder()
    before = folder.seen()
    volumes = _mounted(state, folder)
    if order.script:
        place = folder.path / order.words[-1].lstrip("/")
        place.parent.mkdir(exist_ok=True)
        place.write_text(order.script[1])
        place.chmod(0o755)
    seconds = state.options.run_seconds
    status = 0
    try:
        with closing(proot.run(found, folder, command, seconds)) as said:
            while True:
                is_error, text = next(said)
                yield {"stream": f"{_RED}{text}{_PLAIN}" if is_error and text else text}
    except StopIteration as end:
        status = end.value
    except proot.TookTooLong:
        raise BuildError(
            f"The command '{shown}' took longer than {seconds:.0f} s and was ended"
        ) from None
    if status:
        raise BuildError(
            f"The command '{shown}' returned a non-zero code: {status}", exit_code=status
        )
    try:
        volumes.unmount()
    except VolumeError as error:
        raise BuildError(str(error)) from error
    changes = volumes.owned(folder.changes(before, command.who))
    marked = next((p for p in changes.entries if posixpath.basename(p).startswith(".wh.")), None)
    if marked:
        raise BuildError(f"/{marked}: a layer cannot have a name that begins with .wh.")
    yield {"stream": f" ---> Removed intermediate container {container}\n"}
    yield from state.commit_run(comment, changes)


def _mounted(state: StageState, folder: RootFolder) -> Volumes:
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


def _order(step: Instruction, shell: list[str]) -> _Order:
    if step.json:
        return _Order(list(step.args))
    if not step.args:
        return _Order(shell)
    line = step.args[0]
    if not step.files:
        return _Order([*shell, line], shell=True)
    (name, (content, _)), *others = step.files.items()
    if not others and _is_heredoc_alone(line):
        if content.startswith("#!"):
            return _Order([*shell, f"/{_SCRIPTS}/{name}"], (name, content), shell=True)
        return _Order([*shell, content], shell=True)
    # the shell reads them itself
    documents = "".join(f"{content}{name}\n" for name, (content, _) in step.files.items())
    return _Order([*shell, f"{line}\n{documents}"], shell=True)


def _is_heredoc_alone(line: str) -> bool:
    try:
        return line.startswith("<<") and len(shlex.split(line)) == 1
    except ValueError:
        return False


def _command(state: StageState, order: _Order, arguments: Mapping[str, str]) -> proot.Command:
    who = _who(state)
    environment = dict(arguments)
    for pair in state.config.get("Env") or []:
        name, _, value = pair.partition("=")
        environment[name] = value
    environment.setdefault("HOME", who.home)
    environment.setdefault("HOSTNAME", "labs-build")
    folder = state.config.get("WorkingDir") or "/"
    words = list(order.words)
    if order.shell and posixpath.basename(words[0]) in _POSIX_SHELLS:
        # PRoot hands on what it is told itself, which names a folder of this machine
        words[-1] = f"unset {proot.FOLDER_VARIABLE}; {words[-1]}"
    return proot.Command(words, environment, folder, who)


def _who(state: StageState) -> Account:
    try:
        return account(state.config.get("User") or "", state.root())
    except UnknownAccount as error:
        raise BuildError(str(error)) from error


def _container(state: StageState, comment: str) -> str:
    """The twelve digits that Docker makes up; here the same for the same step."""
    parent = state.image.id if state.image else ""
    return hashlib.sha256(f"{parent} {comment}".encode()).hexdigest()[:12]


def _program(root: Tree, order: _Order, config: Mapping[str, object]) -> str:
    """Where in the image the program is. Raises BuildError in runc's words."""
    word = order.words[0] if order.words else ""
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
    ours = _MACHINES.get(platform.machine(), platform.machine())
    theirs = str(state.image.config.get("architecture") or ours) if state.image else ours
    if theirs != ours:
        raise BuildError(
            f"exec {program}: exec format error: the image is for {theirs} and this machine is"
            f" {ours}; build it with --platform linux/{ours}, from a base image for that"
        )
