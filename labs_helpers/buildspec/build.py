"""Runs a buildspec: source, phases, artifacts, in CodeBuild's order and with its log.

https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from labs_helpers.buildspec import artifacts, leftovers, secrets, source, transitions
from labs_helpers.buildspec.log import Log
from labs_helpers.buildspec.model import Artifacts, Buildspec, Command, OnFailure, Phase
from labs_helpers.buildspec.problems import BuildspecError
from labs_helpers.buildspec.processes import Stopped
from labs_helpers.buildspec.result import Context, PhaseEnded, Result, Status
from labs_helpers.buildspec.settings import Settings
from labs_helpers.buildspec.shell import Shell
from labs_helpers.buildspec.variables import codebuild_variables, succeeding
from labs_helpers.files import LabsError

_TAIL = 1 << 16
"""Bytes at the end of a command's output in which a pattern of RETRY is looked for."""


class CannotRun(LabsError):
    """A buildspec that is right and that cannot run here."""


class Build:
    """One build. Raises CannotRun for what CodeBuild would do and this machine cannot."""

    def __init__(self, spec: Buildspec, settings: Settings, log: Log) -> None:
        _check(spec, settings.user)
        self._spec, self._settings, self._log = spec, settings, log
        # now, because a command may put a link in the place of the folder
        self._folder = settings.scratch.resolve() / "src"
        self._processes = settings.processes(self._output)
        self._tail = b""
        self._ended: list[PhaseEnded] = []
        self._succeeding = True
        self._early: tuple[Status, Context] | None = None

    def stop(self) -> None:
        """End the build; `run` returns with the status STOPPED.

        For any thread and for signal handlers. A KeyboardInterrupt stops the build as well, but one
        that comes while a command starts may leave the command running.
        """
        self._end_early("STOPPED", Context())

    def time_out(self) -> None:
        """End the build with the status TIMED_OUT; for any thread."""
        self._end_early("TIMED_OUT", Context("BUILD_TIMED_OUT", "Build has timed out."))

    def give_up(self, why: str) -> None:
        """End the build with the status FAILED, for a reason outside its commands; any thread."""
        self._end_early("FAILED", Context("COMMAND_EXECUTION_ERROR", why))

    def _end_early(self, status: Status, context: Context) -> None:
        self._early = self._early or (status, context)
        self._processes.stop()

    def run(self) -> Result:
        """Run the build, once."""
        copied: list[Path] = []
        shell: Shell | None = None
        try:
            shell = self._begin()
            if shell and self._phases(shell):
                copied = self._upload(shell)
            status: Status = "SUCCEEDED" if self._succeeding else "FAILED"
        except (Stopped, KeyboardInterrupt):
            status = self._early[0] if self._early else "STOPPED"
        finally:
            leftovers.end(self._settings.identity.id, self._settings.keep)
            self._processes.close()
            if shell:
                shell.close()
            self._log.end_output()
        variables = shell.environment if shell else {}
        exported = self._spec.environment.exported
        values = {name: variables[name] for name in exported if name in variables}
        return Result(status, tuple(self._ended), tuple(copied), values)

    def _begin(self) -> Shell | None:
        """DOWNLOAD_SOURCE: copy the source, set the variables. None where the phase failed."""
        settings, log, started = self._settings, self._log, self._log.clock()
        settings.begins("DOWNLOAD_SOURCE")
        log.container("Phase is DOWNLOAD_SOURCE")
        log.container(f"YAML location is {settings.buildspec}")
        for name, phase in self._spec.phases.items():
            if not phase.commands:
                log.container(f"No commands found for phase name: {name}")
        for each in self._spec.not_done:
            log.labs(f"{settings.buildspec}: {each}")
        log.container("Processing environment variables")
        for line in source.copy(settings.source, self._folder, settings.leave_out):
            log.labs(line)
        beside = {}
        for name, folder in settings.secondary.items():
            beside[name] = settings.scratch.resolve() / f"src_{name}"
            for line in source.copy(folder, beside[name]):
                log.labs(line)
        try:
            values = secrets.resolve(self._spec.environment, settings.client)
        except secrets.NoValue as error:
            self._end("DOWNLOAD_SOURCE", started, "FAILED", Context(error.status_code, str(error)))
            return None
        log.hide(values.values())
        log.container(f"Phases found in YAML: {len(self._spec.phases)}")
        for name, phase in self._spec.phases.items():
            log.container(f" {name.upper()}: {len(phase.commands)} commands")
        environment = {
            **settings.environment,
            **self._spec.environment.variables,
            **values,
            **settings.overrides,
            **codebuild_variables(settings.identity, self._folder, started),
            **{f"CODEBUILD_SRC_DIR_{name}": str(folder) for name, folder in beside.items()},
        }
        tmp = settings.scratch / "tmp"
        tmp.mkdir()
        program = self._spec.environment.shell or "sh"
        self._end("DOWNLOAD_SOURCE", started, "SUCCEEDED", Context())
        keep = self._spec.version != "0.1"
        return Shell(program, self._folder, tmp, environment, keep, self._processes)

    def _phases(self, shell: Shell) -> bool:
        """Run the phases that have commands; whether UPLOAD_ARTIFACTS follows."""
        phase: str | None = "install"
        while phase and phase != transitions.UPLOAD:
            found = self._spec.phases.get(phase, Phase(phase, 0))
            failed = self._phase(found, shell) == "FAILED"
            phase = transitions.after(phase, failed, found.on_failure)
        return phase is not None

    def _phase(self, phase: Phase, shell: Shell) -> Status:
        started, kind = self._log.clock(), phase.name.upper()
        self._settings.begins(kind)
        self._log.container(f"Entering phase {kind}")
        before, attempts = self._succeeding, 1
        try:
            context = self._attempt(phase, shell)
            while context and _again(phase.on_failure, attempts, context, self._tail):
                most = phase.on_failure.retries if phase.on_failure else 0
                self._log.labs(f"on-failure: {kind} runs again, retry {attempts} of {most}")
                self._succeeding, attempts = before, attempts + 1
                context = self._attempt(phase, shell)
        except (Stopped, KeyboardInterrupt):
            self._end(kind, started, *(self._early or ("STOPPED", Context())))
            raise Stopped from None
        status: Status = "FAILED" if context else "SUCCEEDED"
        self._end(kind, started, status, context or Context())
        return status

    def _attempt(self, phase: Phase, shell: Shell) -> Context | None:
        """Run `commands` up to the first that fails, then `finally`; the context of a failure."""
        failure = self._commands(phase.commands, shell)
        failure_of_last = self._commands(phase.last, shell)
        return failure or failure_of_last

    def _commands(self, commands: tuple[Command, ...], shell: Shell) -> Context | None:
        for command in commands:
            self._log.container(f"Running command {command.text}")
            self._tail = b""
            shell.environment.update(succeeding(self._succeeding))
            reason = shell.run(command.text)
            self._log.blank()
            if reason is not None:
                self._succeeding = False
                self._log.container(f"Command did not exit successfully {command.text} {reason}")
                message = f"Error while executing command: {command.text}. Reason: {reason}"
                return Context("COMMAND_EXECUTION_ERROR", message)
        return None

    def _copy(
        self,
        name: str,
        output: Artifacts,
        files: Mapping[str, artifacts.BuiltFile],
        variables: Mapping[str, str],
    ) -> list[Path]:
        """`Deliver` to the destination's folder."""
        made = artifacts.copy(files, self._settings.destination / name)
        return [Path(name, path) for path in made]

    def _upload(self, shell: Shell) -> list[Path]:
        started, spec, copied = self._log.clock(), self._spec, list[Path]()
        self._settings.begins("UPLOAD_ARTIFACTS")
        deliver = self._settings.deliver or self._copy
        outputs = [(deliver, "", spec.artifacts)] if spec.artifacts else []
        outputs += [(deliver, name, each) for name, each in spec.secondary.items()]
        if report := self._settings.report:
            outputs += [(report, name, each.files) for name, each in spec.reports.items()]
        context, status = Context(), "SUCCEEDED"
        try:
            for hand_over, name, each in outputs:
                files = artifacts.collect(each, self._folder, shell.environment, self._log)
                copied += hand_over(name, each, files, shell.environment)
        except artifacts.NoArtifacts as error:
            self._succeeding = False
            context, status = Context(error.status_code, str(error)), "FAILED"
        self._end("UPLOAD_ARTIFACTS", started, status, context)
        return copied

    def _end(self, kind: str, started: datetime, status: Any, context: Context) -> None:
        if status != "SUCCEEDED":
            self._succeeding = False
        _complete(self._log, kind, status, context)
        ended = PhaseEnded(kind, status, context, started, self._log.clock())
        self._ended.append(ended)
        self._settings.ends(ended)

    def _output(self, data: bytes) -> None:
        self._tail = (self._tail + data)[-_TAIL:]
        self._log.output(data)


def unreadable(error: BuildspecError, log: Log) -> Result:
    """The build of a buildspec that cannot be read: DOWNLOAD_SOURCE fails, and nothing runs."""
    started, context = log.clock(), Context(error.status_code, error.message)
    log.container("Phase is DOWNLOAD_SOURCE")
    _complete(log, "DOWNLOAD_SOURCE", "FAILED", context)
    ended = PhaseEnded("DOWNLOAD_SOURCE", "FAILED", context, started, log.clock())
    return Result("FAILED", (ended,))


def _complete(log: Log, kind: str, status: str, context: Context) -> None:
    log.container(f"Phase complete: {kind} State: {status}")
    log.container(f"Phase context status code: {context.status_code} Message: {context.message}")


def _again(on_failure: OnFailure | None, attempts: int, context: Context, output: bytes) -> bool:
    """Whether RETRY runs a failed phase once more.

    The reference says that the expression is to "match the error message", and no page says which.
    Here that is the phase's message or what the command printed last.
    https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.phases.on-failure
    """
    if on_failure is None or on_failure.action != "RETRY" or attempts > on_failure.retries:
        return False
    text = f"{context.message}\n{output.decode('utf-8', 'replace')}"
    return re.search(on_failure.pattern, text) is not None


def _check(spec: Buildspec, me: str) -> None:
    if spec.batch_line:
        raise CannotRun(
            f"line {spec.batch_line}: batch: this key makes a batch of builds, and only one build "
            "runs here. Remove the key to run the phases once."
        )
    users = [(spec.run_as, spec.run_as_line, "run-as")]
    users += [(p.run_as, p.run_as_line, f"phases/{p.name}/run-as") for p in spec.phases.values()]
    for name, line, path in users:
        if name and name != me:
            raise CannotRun(
                f"line {line}: {path}: the commands run as {me} here, and cannot become "
                f"{name}. Remove the key to run them as yourself."
            )
