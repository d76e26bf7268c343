"""A commit that goes through the pipeline, and the facts of it that labs 09, 11 and 13 check.

A fact's function takes a :class:`Release`, and says what it found where the fact does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from labs_helpers.checks.goal import Finding
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import buildspec, denied, deployed, history
from labs_helpers.labs.delivery.buildspec import Spec
from labs_helpers.labs.delivery.deployed import Actions, Definition, Service
from labs_helpers.labs.delivery.names import CLUSTER, PIPELINE, PROJECTS, SERVICE

RECORD = "imagedefinitions.json"
SPEC, GATE = "buildspec.yml", "gate.yml"
STAGES = ["Source", "Build", "Gate", "Approve", "Deploy"]
LOOKED_AT = f"{SPEC} of your last commit"
_TEST = "test.sh"
"""The script of the test; a repair may keep the test under another name, or in the build."""
_LOOKS = re.compile(rb"\s*grep\s[^;&|]*</html>[^;&|]*$")
"""A last command that fails where the end of the page is missing."""
_ONE_IMAGE = re.compile(r"\blabs\s+gate\s+[\"']?[\w./-]+[:@][\"']?(?!\$)[\w:.-]+")
"""A gate for an image that is named in full, without a variable."""
_LETS_PASS = re.compile(r"--only-fixable\b|--accept\b")
_WATCH = f'watch it with  lab.pipeline("{PIPELINE}", wait=300, commit="HEAD")'


@dataclass(frozen=True)
class Release:
    """A commit, and what the pipeline made of the commit."""

    world: World
    commit: str

    @property
    def tag(self) -> str:
        return self.commit[:7]

    @cached_property
    def spec(self) -> Spec | str:
        return buildspec.load(history.file(SPEC, self.commit))

    @cached_property
    def gate(self) -> Spec | str:
        return buildspec.load(history.file(GATE, self.commit))

    @cached_property
    def tags(self) -> dict[str, str]:
        return self.world.tags()

    @cached_property
    def executions(self) -> list[Mapping[str, Any]]:
        return deployed.executions(self.world) or []

    @cached_property
    def service(self) -> Service | None:
        return deployed.service(self.world)

    @cached_property
    def definition(self) -> Definition | None:
        """The newest task definition with the image of the commit."""
        digest = self.tags.get(self.tag)
        for one in deployed.definitions(self.world):
            if one.digest(self.tags) == digest:
                return one
        return None


def committed(release: Release) -> Finding | None:
    """The repair is in a commit, and CodeBuild can read the buildspec."""
    changed = next((one for one in (SPEC, GATE) if history.is_changed(one)), None)
    if changed:
        return Finding(
            changed,
            "your changes are in the file and in no commit",
            "the pipeline fetches commits, and no files of yours",
        )
    if isinstance(release.spec, str):
        return Finding(LOOKED_AT, release.spec, "CodeBuild reads this file")
    return None


def test_stays(release: Release) -> Finding | None:
    """The test is before the push, stops the build, and looks at the page."""
    spec = release.spec
    if not isinstance(spec, Spec):
        return None
    if not spec.stops_after_a_failed_build:
        return _unlike("after a failed build, post_build still runs")
    words = dict.fromkeys(spec.stops_before_the_push)
    there = history.names(release.commit)
    files = {one: history.file(one, release.commit) for one in words if one in there}
    scripts = {one: files.get(one) for one in words if one.endswith(".sh")}
    scripts |= {one: text for one, text in files.items() if text}
    if spec.looks_before_the_push or any(map(_looks, scripts.values())):
        return None
    if not scripts:
        return _unlike("no failed test stops the build before the push")
    script, text = next(iter(scripts.items()))
    if text is None and script != _TEST:
        return Finding(
            LOOKED_AT,
            f"the build runs {script}, and {script} is in no commit",
            "the pipeline fetches commits, and no files of yours",
        )
    return Finding(
        f"{script} of your last commit",
        "it does not look for the end of the page any more",
        "the test was right: half a page has to stop the build",
    )


def _looks(script: bytes | None) -> bool:
    """Whether a script fails where the end of the page is missing."""
    text = script or b""
    last = [line for line in text.splitlines() if line.strip() and not line.startswith(b"#")][-1:]
    # a script ends with the exit code of its last command
    return b"</html>" in text and (b"exit 1" in text or any(map(_LOOKS.match, last)))


def tags_stay(release: Release) -> Finding | None:
    """No tag is moved, no image is fixed."""
    spec = release.spec
    if not isinstance(spec, Spec):
        return None
    if command := spec.push_of_latest:
        return _unlike(f"{command}\nthis pushes the tag latest")
    if line := spec.line_with(release.tag, "sha256:"):
        return _unlike(f"{line}\nthis names one image, also after the next commit")
    return None


def _unlike(found: str) -> Finding:
    return Finding(LOOKED_AT, found, f"compare the file with one that worked:  git log -p {SPEC}")


def gate_stays(release: Release) -> Finding | None:
    """The gate judges the image of each commit, can stop a build, and the stages are there."""
    spec = release.gate
    if isinstance(spec, str) or not spec.gates:
        found = spec if isinstance(spec, str) else "no gate in it can stop a build"
        return Finding(
            f"{GATE} of your last commit",
            found,
            "put the gate back: it has to judge the scan as before",
        )
    for gate in spec.gates:
        if wide := _LETS_PASS.search(gate):
            return Finding(
                f"{GATE} of your last commit",
                f"{gate.strip()}\nwith {wide[0]}, something that is CRITICAL may pass",
                "which findings does this option leave out?  labs gate --help",
            )
    for command in spec.all_commands:
        if _ONE_IMAGE.search(command):
            return Finding(
                f"{GATE} of your last commit",
                f"{command.strip()}\nthis judges one image, whatever the build has pushed",
                "the name of the image has to follow the commit",
            )
    client = release.world.client("codepipeline")
    try:
        stages = client.get_pipeline(name=PIPELINE)["pipeline"]["stages"]
    except client.exceptions.PipelineNotFoundException:
        return None
    names = [stage["name"] for stage in stages]
    gates = [
        action["configuration"].get("ProjectName")
        for stage in stages
        if stage["name"] == "Gate"
        for action in stage["actions"]
    ]
    if names == STAGES and gates == [PROJECTS[1]]:
        return None
    return Finding(
        f"the stages of the pipeline {PIPELINE}",
        ", ".join(names),
        "put the stages back: the repair does not need other stages",
    )


def arrives(release: Release) -> Finding | None:
    """The newest execution of the commit has succeeded."""
    looked_at = f"the executions of the pipeline {PIPELINE}"
    made = deployed.of_commit(release.executions, release.commit)
    if made is None:
        return Finding(looked_at, f"none of the commit {release.tag} yet", _WATCH)
    actions = deployed.actions(release.world, made["pipelineExecutionId"])
    stage, said = deployed.why(actions)
    if made["status"] == "InProgress" and stage == "Approve":
        found = f"the commit {release.tag} waits for an answer in the stage Approve"
        return Finding(looked_at, found, 'answer with  sh answer.sh Approved "why"')
    if made["status"] == "InProgress":
        return _on_its_way(release, made["pipelineExecutionId"], actions, stage)
    if made["status"] != "Succeeded":
        what = f"{stage}: {said}" if stage else made["status"]
        hint = _hint_of(release.world, actions, stage, said)
        return Finding(looked_at, f"{made['status']}, {what}", hint)
    return None


def _on_its_way(release: Release, execution: str, actions: Actions, stage: str) -> Finding:
    """Where the commit is, and what keeps it there, if something does."""
    looked_at = f"the executions of the pipeline {PIPELINE}"
    if stage == "Deploy" and (reason := deployed.does_not_start(release.world)):
        return Finding(
            looked_at,
            f"the commit {release.tag} is in the stage Deploy, which waits for a task\n{reason}",
            "read the reason to the end of the line. The stage waits on: before your next commit, "
            f"end this execution.  {_stop(execution)}",
        )
    if stage or not release.executions:
        running = f"the commit {release.tag} is on its way, in the stage {stage or STAGES[0]}"
        return Finding(looked_at, running, f"it still runs: {_WATCH}")
    before, other = deployed.held_before(release.world, actions, release.executions, STAGES)
    found = f"the commit {release.tag} waits before the stage {before}"
    if not other:
        return Finding(looked_at, found, f"it still runs: {_WATCH}")
    there = deployed.of_commit(release.executions, other) or {}
    return Finding(
        looked_at,
        f"{found}, where the commit {other[:7]} is",
        "that one has to end first. Answer for it, if it waits for an answer, or end its "
        f"execution.  {_stop(str(there.get('pipelineExecutionId')))}",
    )


def _stop(execution: str) -> str:
    return (
        f"aws codepipeline stop-pipeline-execution --pipeline-name {PIPELINE} "
        f"--pipeline-execution-id {execution} --abandon"
    )


def _hint_of(world: World, made: Actions, stage: str, said: str) -> str:
    builds = stage in ("Build", "Gate")
    if denied.is_allowed_now(world, denied.log_of(world, made, stage) if builds else said):
        return "the role has the right now that it lacked then: the stage that failed can run again"
    if builds:
        project = PROJECTS[STAGES.index(stage) - 1]
        return f"read the end of the log:  sh log.sh {project}"
    if stage == "Deploy" and "not authorized" in said:
        return "the stage works with the rights of its role, and names the one that is missing"
    if stage == "Deploy" and "artifact" in said:
        return f"the build hands on the files that artifacts in {SPEC} names: is {RECORD} there?"
    if stage == "Deploy" and "JSON" in said:
        return (
            f"look at the line of the build that writes {RECORD}, and at what its variables hold: "
            "without --output text, an answer of aws has quotes around it"
        )
    if stage == "Deploy":
        return f"compare the names in {RECORD} with those that ECS knows"
    return _WATCH


def runs(release: Release) -> Finding | None:
    """The image has the commit's tag, and the service was given the image, and is there."""
    if release.tags.get(release.tag) is None:
        return Finding(
            f"the tags of {release.world.repository}",
            f"no tag {release.tag}",
            "the tag was to be the first seven characters of the commit's id",
        )
    if release.definition is None:
        return Finding(
            f"the images that {SERVICE} was given",
            "none of them is the image of your commit",
            f"{RECORD} has to name the image that the build of this commit pushed",
        )
    if release.service is None:
        return Finding(
            f"the service {SERVICE} of the cluster {CLUSTER}",
            "there is no such service any more",
            "the commit had a service to arrive at: lab.restart() makes the lab's beginning again",
        )
    return None
