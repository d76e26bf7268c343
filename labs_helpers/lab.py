"""A lab, as a notebook holds the lab: the lesson, clients, pictures, and the beginning."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3

from labs_helpers import deliveries, explanations, gate, modes, notebook_output, pages
from labs_helpers.clean_up.found import THEIRS, not_ours, survey
from labs_helpers.clean_up.listed import listed
from labs_helpers.control_client import Control, LabClock, github_token
from labs_helpers.curriculum import Entry
from labs_helpers.display import bars, transfers
from labs_helpers.display.lesson import differences
from labs_helpers.display.rendering import Rendering, paragraph, table
from labs_helpers.errors import LabError, spoken
from labs_helpers.labs.differences import of_lab
from labs_helpers.lesson import Lesson
from labs_helpers.prepare import Place, beginning
from labs_helpers.progress.journal import Journal

YOUR_DOCKER = "your Docker"
"""The engine, on AWS and wherever the labs start none."""


class Lab(Lesson):
    """One lab in one mode. ``start`` makes it; the kernel's environment is then the lab's."""

    def __init__(
        self,
        title: Entry,
        place: Place,
        engine: str = YOUR_DOCKER,
        journal: Journal | None = None,
    ) -> None:
        """``journal``: where the learner's steps are noted; None when a program runs the lab."""
        super().__init__(title, place, journal)
        self._engine = engine

    def __repr__(self) -> str:
        return f"<Lab {self.title.number} in mode {self.mode}>"

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
        # AWS does not say how often a pipeline looks for commits
        patience = wait if self.mode == modes.AWS else deliveries.PATIENCE
        return notebook_output.followed(
            lambda show: deliveries.pipeline(name, wait, commit, show, patience)
        )

    @spoken
    def github_token(self, repository: str, branch: str = "main") -> str:
        """The web identity token that GitHub gives a workflow of "owner/name" on a branch."""
        return github_token(self._sandbox("play GitHub"), repository, branch)

    @spoken
    def open(self, name: str, cluster: str | None = None, port: int | None = None) -> Rendering:
        """A link to a page: of a container, a service of ECS, or an Application Load Balancer.

        name: a running container's, which publishes a port, or the load balancer's; with a cluster
        of ECS, the service's, of which a task is opened. port: of the load balancer's listener, by
        default the lowest.
        """
        if cluster is not None:
            return pages.service_page(name, cluster, os.environ)
        ours = {one.name for one in listed(self.account) if one.kind == "load balancer"}
        return pages.page_of(name, port, self.docker, self._control, os.environ, ours)

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
        from labs_helpers.pods import look  # imported late: one lab needs it

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
        found = survey(self._place, wanted)
        if self._control is None:
            return explanations.receipt(found, None)
        listening = explanations.ports_of_balancers(self._control)
        return explanations.receipt(found, self.docker, listening)

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

    @spoken
    def only_in_sandbox(self, wish: str) -> None:
        """Raise LabError on AWS, before a cell does what harms somebody else there, or cannot be.

        wish: what the cell does, as in "use up the pulls that your colleagues need".
        """
        if self.mode == modes.AWS:
            raise LabError(
                f"You work on AWS. This cell would {wish}, so it is left out: run it in the "
                "sandbox (labs lab)."
            )

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
        with notebook_output.progress("Keeping a snapshot of all that is there ...") as say:
            made = beginning.start_over(self.title.number, self._place, say)
        self.trace(clear=True)  # what the preparation sent is not the lesson
        self.note("restarted")
        return beginning.card_of(self.title, self._place, self._engine, made)

    @spoken
    def bring_back(self) -> Rendering:
        """Make again what this lab's beginning had and what is gone. What is there stays as it is.

        For a lab that you began, and of whose beginning something is gone since. What does not
        come back alone is named: ``restart`` makes that.
        """
        if self.mode == modes.AWS:
            raise LabError(
                "On AWS no lab removes what another one needs; lab.prepare() lists the needs."
            )
        back = beginning.bring_back(self.title.number, self._place)
        self.trace(clear=True)  # what was sent for it is not the lesson
        return paragraph(back.text)

    @spoken
    def prepare(self, account: str | None = None) -> Rendering:
        """On AWS, make what the card lists true. Name the account: nothing happens otherwise.

        In the sandbox, the same as ``restart``. Raises LabError where things that the labs did not
        make have the names that this lab uses: the preparation deletes nothing of theirs.
        """
        if self.mode != modes.AWS:
            return self.restart()
        if theirs := not_ours(self._place, self.title.number):
            raise LabError(
                f"{THEIRS}: {', '.join(theirs)}.\nThe preparation would change or delete "
                "them, so nothing was done. Take another account or region for the labs: "
                "labs lab --aws --region REGION"
            )
        made = beginning.make_on_aws(self.title.number, self._place, account)
        return beginning.card_of(self.title, self._place, self._engine, made)

    def _sandbox(self, wish: str) -> Control:
        if self._control is None:
            raise LabError(f"You work on AWS, where nobody can {wish}: the sandbox does that.")
        return self._control
