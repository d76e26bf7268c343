"""A lab, as a notebook holds the lab: its exercises, its clients, its beginning."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import boto3

from labs_helpers import (
    answers,
    catch_up,
    checks,
    deliveries,
    explanations,
    following,
    gate,
    modes,
    notebook_output,
    pages,
    prepare,
)
from labs_helpers.checks.verdict import Verdict, verdict
from labs_helpers.clean_up.found import survey
from labs_helpers.clean_up.listed import listed
from labs_helpers.control_client import Control, LabClock
from labs_helpers.curriculum import LABS, Entry
from labs_helpers.defaults import GITHUB_OWNER_ID, GITHUB_REPOSITORY_ID, REPOSITORY
from labs_helpers.display import bars, card, transfers
from labs_helpers.display.lesson import differences
from labs_helpers.display.rendering import Rendering, paragraph, table
from labs_helpers.errors import LabError, spoken
from labs_helpers.labs.differences import of_lab
from labs_helpers.labs.exercises import exercise, exercises
from labs_helpers.labs.questions import question as question_of
from labs_helpers.pods import look
from labs_helpers.prepare import Place, beginning
from labs_helpers.prepare.beginning import Beginning
from labs_helpers.progress.journal import Journal
from labs_helpers.progress.report import report
from labs_helpers.snapshots import store
from labs_helpers.workspace import LabsError

_EXAMPLES = {"quiz": "q1", "predict": "p1"}
"""How the ids of a method's questions end."""
EARLIER = "begun earlier: nothing that you made was changed. To start over: lab.restart()"


class Lab:
    """One lab in one mode. ``start`` makes it; the kernel's environment is then the lab's."""

    def __init__(
        self,
        title: Entry,
        place: prepare.Place,
        engine: str = "your Docker",
        journal: Journal | None = None,
    ) -> None:
        """``journal``: where the learner's steps are noted; None when a program runs the lab."""
        self.title = title
        self.mode = place.mode
        self.account = place.account
        self.region = place.region
        self.registry = place.registry
        self.repository = REPOSITORY
        self._place = place
        self._control = place.sandbox
        self._engine = engine
        self._journal = journal
        self._names = place.workspace.own_names

    def __repr__(self) -> str:
        return f"<Lab {self.title.number} in mode {self.mode}>"

    # what the exercises need

    @spoken
    def check(self, check_id: str = "") -> Verdict:
        """Look at the world with one check and say what was seen."""
        self._require(check_id, "check", "exercise")
        outcome = checks.run(check_id, self._world())
        self.note("check", check_id, checks.NAMES[type(outcome)])
        return verdict(check_id, outcome)

    @spoken
    def hint(self, check_id: str = "", number: int = 1) -> Rendering:
        """A hint of an exercise, counted from 1."""
        self._require(check_id, "hint", "exercise")
        said = exercise(self._notebook, check_id, self._names).hint(number)
        self.note("hint", check_id, str(number))
        return _passage(said)

    @spoken
    def solution(self, check_id: str = "") -> Rendering:
        """One way to do an exercise."""
        self._require(check_id, "solution", "exercise")
        said = exercise(self._notebook, check_id, self._names).solution
        if not said:
            raise LabError(f"This notebook has no solution of {check_id}: it was taken out.")
        self.note("solution", check_id)
        return _passage(said)

    @spoken
    def quiz(self, question_id: str = "", answer: str | None = None) -> Rendering:
        """A question; with ``answer``, a letter, what choosing it teaches."""
        return self._question("quiz", question_id, answer)

    @spoken
    def predict(self, question_id: str = "", answer: str | None = None) -> Rendering:
        """A question about the next cells; ``answer``, a letter, is compared when they have run."""
        return self._question("predict", question_id, answer)

    @spoken
    def follow(self, check_id: str | None = None) -> Rendering | None:
        """Tick an exercise, by default each of this lab, as soon as its check passes.

        The output changes while you work, also in a terminal. It ends when every tick is there,
        with another ``follow``, or with the kernel. Where a program runs the notebook, nothing is
        shown; on AWS, where each look would be several requests, ``lab.check`` is the way.
        """
        if check_id is not None:
            self._require(check_id, "follow", "exercise")
        if self.mode == modes.AWS:
            return paragraph("On AWS nothing looks by itself: run lab.check when you are done.")
        if not notebook_output.someone_looks():
            return None
        known = exercises(self._notebook)
        ids = list(known) if check_id is None else [exercise(self._notebook, check_id).id]
        done = following.Exercises(ids, self._passes, lambda one: self.note("check", one, "passed"))
        drawing, more = done.look()
        if not more:
            return drawing
        following.follow("exercises", done.drawn(), done.look)
        return None

    @spoken
    def progress(self) -> Rendering | None:
        """Every lab: which exercises are done, your own minutes, and where to go on.

        In a notebook that somebody looks at, the list is kept up to date.
        """
        if self._journal is None or not notebook_output.someone_looks():
            return self._report()
        seen = self._journal.size

        def again() -> tuple[Rendering | None, bool]:
            nonlocal seen
            before, seen = seen, journal.size
            return (self._report() if seen != before else None), True

        journal = self._journal
        following.follow("progress", self._report(), again)
        return None

    def _report(self) -> Rendering:
        events = self._journal.events() if self._journal else []
        return report(self._place.workspace, events, self.title.number)

    @spoken
    def catch_up(self, exercise_id: str | None = None) -> Rendering:
        """Do the exercises up to and including this one, by default all, with their solutions.

        Runs the lab's cells in this kernel, from the last exercise whose check passes. What you
        made stays. An exercise that is done this way counts as shown. Raises LabError when a
        check still does not pass, with the cells that failed.
        """
        if exercise_id is not None:
            self._require(exercise_id, "catch_up", "exercise")
        caught = catch_up.catch_up(self._notebook, exercise_id, self._passes, self._names)
        for one in caught.shown:
            self.note("shown", one)
        return caught.drawn()

    def _passes(self, check_id: str) -> bool:
        return isinstance(checks.run(check_id, self._world()), checks.Passed)

    def _question(self, method: str, question_id: str, answer: str | None) -> Rendering:
        self._require(question_id, method, "question")
        return answers.ask(question_of(question_id, method, self._names), answer, self._journal)

    def note(self, event: str, part: str = "", outcome: str = "") -> None:
        """Note a step of the learner; a journal that cannot be written stops nothing."""
        if self._journal is None:
            return
        try:
            self._journal.add(event, part.split(".")[0] or self.title.number, part, outcome)
        except LabsError as fault:
            print(f"The labs cannot keep your progress. {fault}")

    def _require(self, part_id: object, method: str, kind: str) -> None:
        """Raise LabError, with an example, for what is no id of an exercise or question."""
        example = f'lab.{method}("{self.title.number}.{_EXAMPLES.get(method, "1")}")'
        if not part_id:
            raise LabError(f"Which {kind}? Write its id, as in  {example}")
        if not isinstance(part_id, str):
            raise LabError(f"An id is written in quotes, as in  {example}")
        if part_id.split(".")[0] not in LABS:
            raise LabError(
                f"There is no {kind} {part_id!r}. An id begins with a lab's two digits, as in\n"
                f"  {example}"
            )

    # clients

    def session(self, profile: str | None = None) -> Any:
        """A boto3 session with the learner's configuration."""
        return boto3.Session(profile_name=profile)

    @property
    @spoken
    def docker(self) -> Any:
        """The Docker SDK's client."""
        return self._place.docker

    @property
    def clock(self) -> LabClock:
        """The sandbox's clock; AWS's cannot be moved."""
        return LabClock(self._sandbox("move the clock"))

    # pictures

    def differences(self) -> Rendering:
        """What in this lab differs from AWS."""
        entries = of_lab(self.title.number, self._names)
        return differences([(one.here, one.aws, one.source) for one in entries])

    @spoken
    def show_token(self) -> Rendering:
        """Ask ECR for a token and show whose it is and when it ends, but not the secret in it."""
        return explanations.token(self._now())

    @spoken
    def trace(self, clear: bool = False) -> Rendering:
        """The requests the registry has answered since the last ``trace(clear=True)``."""
        return explanations.trace(self._sandbox("show what the registry answered"), clear)

    @spoken
    def why(
        self, action: str | None = None, resource: str | None = None, who: str | None = None
    ) -> Rendering:
        """Why IAM refused what it refused last; or how it would decide now.

        action: "ecr:PutImage"; resource: an ARN, or the name of a repository, by default "*";
        who: a user's name, or the ARN of a user or role, by default the learner. Nothing is done.
        On AWS, IAM's simulator is asked, by default about you.
        """
        asked = (self.account, self.region, action, resource, who)
        if self._control is None:
            return explanations.decision_on_aws(*asked)
        return explanations.refusal_in_sandbox(self._control, *asked)

    @spoken
    def lifecycle(self, repository: str) -> Rendering:
        """What the lifecycle policy takes today, what that saves, and why the other images stay."""
        control = self._sandbox("ask why a lifecycle policy leaves an image")
        prices = self._place.workspace.notebooks / "files" / "03" / "prices.json"
        return explanations.expiry(control, self.account, self.region, repository, prices)

    @spoken
    def pipeline(self, name: str, wait: float = 0, commit: str = "") -> Rendering:
        """A pipeline of CodePipeline: its stages, its actions, and why an action failed.

        wait: seconds to follow the newest execution, until it ends or waits for an approval; in
        JupyterLab the boxes change meanwhile. commit: wait for the execution of this commit of the
        folder's git repository, as "HEAD".
        """
        return notebook_output.followed(lambda show: deliveries.pipeline(name, wait, commit, show))

    @spoken
    def github_token(self, repository: str, branch: str = "main") -> str:
        """The web identity token that GitHub gives a workflow of ``repository`` on a branch.

        ``repository`` is "owner/name". The subject has the form for repositories that were created
        since 15 July 2026, with GitHub's numbers of owner and repository:
        https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
        """
        control = self._sandbox("play GitHub")
        owner, _, name = repository.partition("/")
        if not owner or not name or "/" in name:
            raise LabError(f"{repository!r} is no repository of GitHub: give owner/name.")
        named = f"{owner}@{GITHUB_OWNER_ID}/{name}@{GITHUB_REPOSITORY_ID}"
        asked = {"subject": f"repo:{named}:ref:refs/heads/{branch}"}
        return str(control.ask("POST", "oidc/token", asked)["token"])

    @spoken
    def open(self, name: str, cluster: str | None = None, port: int | None = None) -> Rendering:
        """A link to a page: of a container, a service of ECS, or an Application Load Balancer.

        name: a running container's, which publishes a port, or the load balancer's; with a cluster
        of ECS, the service's, of which a task is opened. port: of the load balancer's listener, by
        default the lowest.
        """
        if cluster is not None:
            return pages.service_page(name, cluster, os.environ)
        if port is not None or not pages.has_container(self.docker, name):
            shown = pages.balancer_page(name, port, self._control, os.environ)
            if shown is not None:
                return shown
        return pages.container_page(self.docker, name, os.environ)

    @spoken
    def service(self, name: str, cluster: str = "default", wait: float = 0) -> Rendering:
        """The deployments and tasks of a service of ECS, and why tasks stopped.

        wait: seconds to follow the deployment, until it has ended; in JupyterLab the tables change
        meanwhile.
        """
        return notebook_output.followed(
            lambda show: deliveries.service(name, cluster, os.environ, wait, show)
        )

    @spoken
    def pods(
        self, manifest: str, role: str, describe: bool = False, delete: bool = False
    ) -> Rendering:
        """What a node of Kubernetes makes of a manifest now, as `kubectl get pods` shows it.

        manifest: the file of a Pod or a Deployment; role: the name of the node's role, with whose
        rights the images are pulled. Each call looks again: what is due by the sandbox's clock is
        tried again, and a changed manifest is applied. describe: as `kubectl describe pod`, of the
        first pod that does not run; delete: as `kubectl delete`.
        """
        control = self._sandbox("play a node of Kubernetes")
        arn = role if role.startswith("arn:") else f"arn:aws:iam::{self.account}:role/{role}"
        return look.pods(
            control,
            self.docker.api,
            arn,
            self.region,
            self._now(),
            Path(manifest),
            describe,
            delete,
        )

    @spoken
    def receipt(self) -> Rendering:
        """What the labs made in this account and is still there, and what it costs while it stays.

        Where a program runs the notebook, of this lab only: outputs must not depend on what other
        labs left.
        """
        alone = bool(os.environ.get("LABS_START"))
        wanted = [one for one in listed(self.account) if not alone or self.title.number in one.labs]
        here = self.docker if self._control else None
        return explanations.receipt(survey(self._place, wanted), here)

    @spoken
    def layers(self, image: str) -> Rendering:
        """The layers of a local image and their sizes."""
        return explanations.layers(self.docker, image)

    @spoken
    def watch(
        self, stream: Iterable[Mapping[str, Any]], mbit: float | None = None
    ) -> transfers.TransferResult:
        """Follow the messages of a push or a pull, with a bar for each layer while it goes on.

        ``stream`` is what the Docker SDK's ``images.push`` or ``api.pull`` gives with
        ``stream=True, decode=True``; with ``mbit``, the bars go no faster than over a line of so
        many Mbit/s. Raises LabError for the error that the stream ends with.
        """
        return notebook_output.watch(stream, mbit)

    @spoken
    def gate(
        self,
        image: str,
        fail_on: str = "HIGH",
        only_fixable: bool = False,
        accept: str | Path | None = None,
    ) -> Rendering:
        """Judge an image by ECR's scan of it, as the command `labs gate` does."""
        rules = gate.Rules(fail_on, only_fixable)
        return explanations.gate_verdict(image, rules, accept, self._now())

    def table(
        self, rows: Sequence[Sequence[str]], head: Sequence[str], right: Sequence[int] = ()
    ) -> Rendering:
        """Rows as a table; the columns numbered in ``right`` (from 0) line up on the right."""
        return table(head, rows, right)

    def bars(self, rows: Sequence[tuple[str, float]], unit: str = "") -> Rendering:
        """Amounts as bars."""
        return bars.bars([(name, amount, f"{amount:g} {unit}".strip()) for name, amount in rows])

    # what the lab starts from

    @spoken
    def restart(self) -> Rendering:
        """Make the lab's beginning again. What is in its way is removed, and the card names it.

        All that was there is kept as a snapshot first; the card says how to bring it back.
        """
        if self.mode == modes.AWS:
            raise LabError(
                "On AWS nothing is removed by restart(). lab.prepare() lists what this lab starts "
                f'from, and lab.prepare(account="{self.account}") makes that true.'
            )
        made = start_over(self.title.number, self._place)
        self.trace(clear=True)  # what the preparation sent is not the lesson
        self.note("restarted")
        return card_of(self, made)

    @spoken
    def bring_back(self) -> Rendering:
        """Make again what this lab's beginning had and what is gone. What is there stays as it is.

        For a lab that you began, and from which another lab has removed something since.
        """
        if self.mode == modes.AWS:
            raise LabError(
                "On AWS no lab removes what another one needs; lab.prepare() lists the needs."
            )
        back = beginning.bring_back(self.title.number, self._place)
        self.trace(clear=True)  # what was sent for it is not the lesson
        if not back:
            return paragraph("Nothing to bring back: what this lab began with is there.")
        return paragraph(f"Back again: {'; '.join(back)}.")

    @spoken
    def prepare(self, account: str | None = None) -> Rendering:
        """On AWS, make what the card lists true. Name the account: nothing happens otherwise.

        In the sandbox, the same as ``restart``.
        """
        if self.mode != modes.AWS:
            return self.restart()
        steps = prepare.steps(self.title.number, self.mode)
        if account != self.account:
            raise LabError(
                f"This works in the real account {self.account}. It makes sure that:\n"
                + "\n".join(f"  {step.fact}" for step in steps)
                + f'\nIf you want that, run  lab.prepare(account="{self.account}")'
            )
        self._place.removed.clear()
        for step in steps:
            step.ensure(self._place)
        facts = tuple(step.fact for step in steps)
        return card_of(self, Beginning(facts, tuple(self._place.removed)))

    @property
    def _notebook(self) -> Path:
        path = self._place.workspace.notebooks / self.title.notebook
        if not path.exists():
            raise LabError(f"The hints are in notebooks/{path.name}, and it is not there.")
        return path

    def _world(self) -> checks.World:
        config = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
        return checks.World(
            account=self.account,
            region=self.region,
            repository=self.repository,
            docker_config=Path(config),
            now=self._now,
            address=os.environ["AWS_ENDPOINT_URL"] if self.mode == modes.SANDBOX else None,
        )

    def _now(self) -> datetime:
        return LabClock(self._control).now if self._control else datetime.now(UTC)

    def _sandbox(self, wish: str) -> Control:
        if self._control is None:
            raise LabError(f"You work on AWS, where nobody can {wish}: the sandbox does that.")
        return self._control


def start_over(number: str, place: Place) -> Beginning:
    """Make a lab's beginning again, and keep all that was there as a snapshot first.

    Raises LabError as `beginning.make` does, and for what cannot be kept; then nothing is removed.
    """
    why = f"before lab {number} was started over"
    kept = store.save_automatically(place.workspace, f"lab{number}", why, number)
    made = beginning.make(number, place)
    note = f"all that was there is kept as a snapshot; to bring it back: {kept.how_to_restore}"
    return replace(made, notes=(*made.notes, note))


def card_of(lab: Lab, begun: Beginning | None = None, notes: Sequence[str] = ()) -> Rendering:
    """What a lab is, where it works, and what it made or needs.

    ``begun`` is what a start found or made. Without it, as on AWS, the card lists what the lab
    needs. ``notes``: what else the card says.
    """
    number = lab.title.number
    begun = begun or Beginning(tuple(step.fact for step in prepare.steps(number, lab.mode)))
    return card.card(
        f"lab {number} · {lab.title.name}",
        card.Setting(lab.mode, lab.account, lab.region, lab.registry, lab._engine),
        (EARLIER,) if begun.facts is None else begun.facts,
        "needs" if lab.mode == modes.AWS else "ready",
        begun.removed,
        (*begun.notes, *notes),
    )


def _passage(text: str) -> Rendering:
    return Rendering(text, f'<pre style="white-space:pre-wrap">{escape(text)}</pre>')
