"""One task of ECS: the job that sandbox/ecs/owner.py submits."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from labs_helpers.runner import clients, task_secrets
from labs_helpers.runner.cloud_logs import CloudLog, NoLog
from labs_helpers.runner.engine_client import Engine, EngineRefused
from labs_helpers.runner.runner import STOPPED, Job
from labs_helpers.runner.task_container import PREFIX, RUNNER, TaskContainer, runner_note, sweep
from labs_helpers.runner.task_credentials import Credentials
from labs_helpers.runner.task_failures import FAILED_TO_START, CannotRun, no_log
from labs_helpers.runner.task_images import Images, Pulled
from labs_helpers.workspace import Workspace

_EXITED = "EssentialContainerExited"
_ESSENTIAL = "Essential container in task exited"
_LOOK = 0.5
"""Seconds between two looks at the health of containers."""
_NO_TIME = 3
"""Seconds that programs have to end when the runner itself ends."""
_swept = threading.Event()
_sweeping = threading.Lock()


def work(workspace: Workspace, job: Job) -> None:
    """Run a task, and report its states and its end; raises Lost."""
    engine = Engine(workspace.socket)
    with ExitStack() as stack:
        task = _Task(engine, job, stack)
        try:
            _sweep_once(engine)
            code, reason = task.run()
        except CannotRun as error:
            task.blame(error)
            code, reason = FAILED_TO_START, str(error)
        except EngineRefused as error:
            code, reason = FAILED_TO_START, str(error)
        task.stop()
        stack.close()
        job.ended(stopCode=code, stoppedReason=reason, containers=task.outcomes())


def _sweep_once(engine: Engine) -> None:
    with _sweeping:
        if not _swept.is_set():
            sweep(engine)
            _swept.set()


class _Stopped(Exception):
    """The task has to end before it runs."""


class _Task:
    def __init__(self, engine: Engine, job: Job, stack: ExitStack) -> None:
        self._engine = engine
        self._job = job
        self._stack = stack
        self._body = job.body
        self._definition: Mapping[str, Any] = job.body["definition"]
        self._containers: list[TaskContainer] = []
        self._blamed: list[dict[str, Any]] = []
        self._news: queue.Queue[TaskContainer | None] = queue.Queue()
        self._endpoint = job.desk.endpoint
        self._clients: dict[tuple[str, str], Any] = {}
        job.on_stop(lambda: self._news.put(None))

    def run(self) -> tuple[str, str]:
        """Run the containers until the task ends: (stopCode, stoppedReason)."""
        secrets = {
            each["name"]: task_secrets.values(each.get("secrets") or [], self._client)
            for each in self._definition["containerDefinitions"]
        }
        pulled = self._pull()
        digests = {name: each.digest for name, each in pulled.items()}
        self._job.report({"type": "pulled", "digests": digests})
        for each in self._definition["containerDefinitions"]:
            log = self._open_log(each)
            made = TaskContainer(self._engine, each, pulled[each["name"]], log, self._has_ended)
            self._containers.append(made)
        self._stack.callback(self._remove)
        try:
            with self._credentials() as (variables, relays):
                self._start(secrets, variables, relays)
                facts = [each.facts() for each in self._containers]
                self._job.report({"type": "started", "containers": facts})
                return self._watch()
        except _Stopped:
            return self._why()

    def stop(self) -> None:
        """End the containers that run."""
        most = 120 if self._job.stopping in ("", STOPPED) else _NO_TIME
        threads = [threading.Thread(target=each.stop, args=(most,)) for each in self._containers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def blame(self, error: CannotRun) -> None:
        """Remember which container has the reason of a failure."""
        if error.container:
            self._blamed.append({"name": error.container, "reason": str(error)})

    def outcomes(self) -> list[dict[str, Any]]:
        return [*(each.outcome() for each in self._containers), *self._blamed]

    def _pull(self) -> dict[str, Pulled]:
        runtime = self._definition.get("runtimePlatform") or {}
        images = Images(self._engine, self._client, runtime)
        self._stack.callback(images.close)
        found = {}
        for each in self._definition["containerDefinitions"]:
            self._go_on()
            digest = self._body["digests"].get(each["name"], "")
            found[each["name"]] = images.pull(each["image"], digest)
        return found

    def _open_log(self, definition: Mapping[str, Any]) -> CloudLog | None:
        """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html"""
        options = (definition.get("logConfiguration") or {}).get("options")
        if not options:
            return None
        name = f"{definition['name']}/{self._job.id}"
        prefix = options.get("awslogs-stream-prefix")
        stream = f"{prefix}/{name}" if prefix else self._job.id
        client = self._client("logs", options["awslogs-region"])
        log = CloudLog(client, options["awslogs-group"], stream, line_ends=False)
        try:
            log.open(make_group=options.get("awslogs-create-group") == "true")
        except NoLog as error:
            raise no_log(error.code, str(error)) from error
        return log

    @contextmanager
    def _credentials(self) -> Iterator[tuple[dict[str, str], list[str]]]:
        """The variables by which programs find AWS and the task role, and the way to both."""
        region = self._body["region"]
        variables = {
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self._endpoint,
        }
        relays = [_relay(int(self._endpoint.rpartition(":")[2]))]
        if not self._body["role"]:
            yield variables, relays
            return
        served = Credentials(self._body["role"], self._body["roleArn"])
        try:
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = served.url
            yield variables, [*relays, _relay(served.port)]
        finally:
            served.close()

    def _start(
        self,
        secrets: Mapping[str, Mapping[str, str]],
        variables: Mapping[str, str],
        relays: list[str],
    ) -> None:
        """Start the containers in the order of dependsOn, each as soon as it may."""
        waiting = list(self._containers)
        while waiting:
            self._go_on()
            ready = [each for each in waiting if self._may_start(each)]
            for each in ready:
                own = {one["name"]: one["value"] for one in each.definition["environment"]}
                own = {**variables, **own, **secrets[each.name]}
                ways = [*relays, *self._neighbours(each)]
                each.start(self._name(each), self._labels(each), own, ways)
                waiting.remove(each)
            if waiting and not ready:
                self._job.wait(0.1)

    def _may_start(self, container: TaskContainer) -> bool:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html"""
        others = {each.name: each for each in self._containers}
        for needed in container.definition.get("dependsOn") or []:
            other, condition = others[needed["containerName"]], needed["condition"]
            if other.exit_code not in (None, 0) and condition in ("SUCCESS", "HEALTHY"):
                raise CannotRun(
                    f"Container {container.name} cannot start: its dependency {other.name} exited "
                    f"with the code {other.exit_code}",
                    container.name,
                )
            if condition == "START" and not other.started:
                return False
            if condition in ("COMPLETE", "SUCCESS") and other.exit_code is None:
                return False
            if condition == "HEALTHY" and other.started and other.health() != "HEALTHY":
                return False
            if not other.started:
                return False
        return True

    def _neighbours(self, container: TaskContainer) -> list[str]:
        """Ways from localhost of a container to the ports of those that started before."""
        taken = {each.get("containerPort") for each in container.definition["portMappings"]}
        return [
            f"127.0.0.1:{port['containerPort']}=127.0.0.1:{port['hostPort']}"
            for other in self._containers
            for port in other.bindings
            if other is not container and port["containerPort"] not in taken
        ]

    def _watch(self) -> tuple[str, str]:
        """Wait for the end, and report changes of health."""
        known: dict[str, str] = {}
        checked = [each for each in self._containers if each.definition.get("healthCheck")]
        while True:
            try:
                ended = self._news.get(timeout=_LOOK if checked else None)
            except queue.Empty:
                self._report_health(checked, known)
                continue
            if ended is None:
                return self._why()
            if ended.essential or all(each.exit_code is not None for each in self._containers):
                return _EXITED, _ESSENTIAL

    def _report_health(self, checked: list[TaskContainer], known: dict[str, str]) -> None:
        for each in checked:
            status = each.health()
            if known.get(each.name, "UNKNOWN") != status:
                known[each.name] = status
                self._job.report({"type": "health", "container": each.name, "status": status})

    def _why(self) -> tuple[str, str]:
        """Why the task had to end; whoever asked ECS for that has given code and reason before."""
        return "UserInitiated", self._job.stopping

    def _go_on(self) -> None:
        if self._job.stopping:
            raise _Stopped()

    def _has_ended(self, container: TaskContainer, code: int) -> None:
        self._news.put(container)

    def _remove(self) -> None:
        for each in self._containers:
            each.remove()

    def _name(self, container: TaskContainer) -> str:
        family, revision = self._definition["family"], self._definition["revision"]
        return f"{PREFIX}{family}-{revision}-{container.name}-{self._job.id[:12]}"

    def _labels(self, container: TaskContainer) -> dict[str, str]:
        """The labels of ECS's agent, and the runner's process.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-metadata.html
        """
        return {
            "com.amazonaws.ecs.cluster": self._body["task"]["clusterArn"],
            "com.amazonaws.ecs.container-name": container.name,
            "com.amazonaws.ecs.task-arn": self._body["task"]["taskArn"],
            "com.amazonaws.ecs.task-definition-family": self._definition["family"],
            "com.amazonaws.ecs.task-definition-version": str(self._definition["revision"]),
            RUNNER: runner_note(),
        }

    def _client(self, service: str, region: str = "") -> Any:
        """A client with the rights of the execution role."""
        keys = self._body["execution"]
        if not keys:
            raise CannotRun(
                "ResourceInitializationError: the task definition has no execution role, which "
                f"{service} needs"
            )
        region = region or self._body["region"]
        if (service, region) not in self._clients:
            made = clients.make(service, region, self._endpoint, keys)
            self._clients[service, region] = made
        return self._clients[service, region]


def _relay(port: int) -> str:
    """A port of a container's localhost that leads to the same port of this machine's."""
    return f"127.0.0.1:{port}=127.0.0.1:{port}"
