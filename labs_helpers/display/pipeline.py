"""A pipeline as a row of boxes, one a stage, with what each action does: of GetPipelineState."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs_helpers.display.rendering import BAD, CALM, GOOD, WARN, Rendering, spelled

_MARKS = {
    "Succeeded": "✓",
    "Failed": "✗",
    "InProgress": "▶",
    "Stopped": "■",
    "Stopping": "■",
    "Abandoned": "■",
    "Cancelled": "■",
    "Skipped": "↷",
    "Overridden": "✓",
}
_WAITS = "○"
"""The mark of a stage or an action that the execution has not reached."""
_NOT_REACHED, _OF_A_ROLLBACK = "not yet", "not run: a rollback deploys what is there"
"""What is said of an action of a stage in which the execution is not. A rollback is one stage's:
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html"""
_COLOURS = {"Succeeded": GOOD, "Failed": BAD, "InProgress": CALM}
_CONDITIONS = ("beforeEntry", "onSuccess", "onFailure")
_PLAIN = "var(--jp-border-color2)"

_COMMIT = re.compile("[0-9a-f]{40}")

_ROW = "display:flex;flex-wrap:wrap;gap:6px;align-items:stretch;max-width:72em"
_ITEM = "display:flex;gap:6px;flex:1 1 10em;max-width:18em;min-width:0"
_ARROW = "align-self:center;flex:none;width:1em;text-align:center"
_BOX = (
    "flex:1;min-width:0;border:1px solid var(--jp-border-color2);padding:6px 8px;"
    "background:var(--jp-layout-color1);color:var(--jp-ui-font-color1);overflow-wrap:break-word"
)

State = Mapping[str, Any]
Revisions = Mapping[str, str]
"""Execution id -> what the execution carries, of `named`."""


def drawn(
    state: State, execution: State, revisions: Revisions | None = None, last: bool = True
) -> Rendering:
    """The boxes, each with the status of one execution, and what other executions do there.

    state: of GetPipelineState; execution: of ListPipelineExecutions, the one that is shown;
    revisions: what the executions deliver, in words, by their ids; last: whether the execution is
    the newest.
    """
    known = revisions or {}
    wanted = execution["pipelineExecutionId"]
    away = _OF_A_ROLLBACK if execution.get("executionType") == "ROLLBACK" else _NOT_REACHED
    stages = [_Stage(stage, wanted, known, away) for stage in state["stageStates"]]
    sentence = f"The pipeline {state['pipelineName']}: {_said(execution, state, known, last)}"
    delivers = f"This execution carries {known[wanted]}." if wanted in known else ""
    row = "  →  ".join(f"{stage.mark} {stage.name}" for stage in stages)
    lines = [line for stage in stages for line in stage.lines]
    text = "\n".join([sentence, *([delivers] if delivers else []), "", row, "", *lines])
    told = [line for stage in stages for line in stage.below]
    return Rendering(
        text,
        f"<p>{spelled(' '.join([sentence, delivers]).strip())}</p>"
        f'<div style="{_ROW}">{"".join(stage.box(first=not n) for n, stage in enumerate(stages))}'
        f"</div>{''.join(f'<p>{spelled(line)}</p>' for line in told)}",
    )


def named(execution: State) -> str:
    """What an execution carries: a commit by its first seven digits and its message.

    Empty while the source is being fetched, and for a source that is no commit.
    """
    for each in execution.get("sourceRevisions", []):
        if _COMMIT.fullmatch(each["revisionId"]):
            lines = each.get("revisionSummary", "").splitlines()
            return f"the commit {each['revisionId'][:7]}{f' ({lines[0]})' if lines else ''}"
    return ""


def waits_for_someone(state: State, execution: State) -> bool:
    """Whether an execution waits for an approval, its own or an earlier one's in the same stage."""
    wanted = execution["pipelineExecutionId"]
    return any(
        wanted in (one.get("pipelineExecutionId") for one in (_latest(stage), *_behind(stage)))
        for stage in _asked(state)
    )


def _asked(state: State) -> Iterator[State]:
    """The stages in which an approval waits; only an approval has a token."""
    for stage in state["stageStates"]:
        for action in stage["actionStates"]:
            latest = action.get("latestExecution", {})
            if latest.get("token") and latest["status"] == "InProgress":
                yield stage


def _latest(stage: State) -> State:
    found: State = stage.get("latestExecution", {})
    return found


def _behind(stage: State) -> Sequence[State]:
    """The executions that wait to enter a stage."""
    found: Sequence[State] = stage.get("inboundExecutions", ())
    return found


def _said(execution: State, state: State, revisions: Revisions, last: bool) -> str:
    status = execution["status"]
    if status == "InProgress" and waits_for_someone(state, execution):
        stage = next(_asked(state))
        asks = _latest(stage).get("pipelineExecutionId", "")
        other = asks != execution["pipelineExecutionId"] and revisions.get(asks)
        return (
            f"the stage {stage['stageName']} waits for an approval{f' of {other}' * bool(other)}."
        )
    said = {
        "InProgress": "an execution is in progress",
        "Succeeded": "the last execution succeeded",
        "Failed": "the last execution failed",
        "Stopped": "the last execution was stopped",
        "Stopping": "an execution is being stopped",
        "Superseded": "the last execution was superseded",
    }
    found = str(said.get(status, status))
    return f"{found if last else found.replace('the last', 'an earlier')}."


class _Stage:
    """A stage as an execution has it."""

    def __init__(self, stage: State, execution: str, revisions: Revisions, away: str) -> None:
        latest = _latest(stage)
        self.name = str(stage["stageName"])
        inside = str(latest.get("pipelineExecutionId", ""))
        there = inside == execution
        # "" before the execution is there
        self._status = str(latest["status"]) if there else ""
        self._other = ""
        if not there and latest.get("status") == "InProgress" and inside in revisions:
            self._other = f"{revisions[inside]} is there"
        transition = stage.get("inboundTransitionState", {})
        held = not transition.get("enabled", True)
        self._held = str(transition.get("disabledReason", "")) if held else ""
        actions = [_action(each, self._status, away) for each in stage["actionStates"]]
        before, *after = [_condition(kind, stage) if there else None for kind in _CONDITIONS]
        self._actions = [each for each in (before, *actions, *after) if each is not None]

    @property
    def mark(self) -> str:
        return _mark(self._status)

    @property
    def lines(self) -> Iterator[str]:
        """The stage in text."""
        if self._held:
            yield f"{self.name}: the transition is disabled: {self._held}"
        for action in self._actions:
            said = "; ".join(filter(None, (action.said, self._other)))
            yield f"{action.mark} {self.name} / {action.name}: {said}"

    @property
    def below(self) -> Iterator[str]:
        """What is too long for the box."""
        for action in self._actions:
            if action.said != action.short:
                yield f"{action.mark} {self.name} / {action.name}: {action.said}"

    def box(self, first: bool) -> str:
        """The stage in HTML, after an arrow: where boxes go on in a new row, the arrow does too."""
        colour = WARN if self._held else _COLOURS.get(self._status, _PLAIN)
        said = [f"{each.mark} {each.name}: {each.short}" for each in self._actions]
        said = [*([f"transition disabled: {self._held}"] if self._held else []), *said]
        said += [self._other] if self._other else []
        arrow = "" if first else f'<span aria-hidden="true" style="{_ARROW}">→</span>'
        return (
            f'<div style="{_ITEM}">{arrow}<div style="{_BOX};border-top:6px solid {colour}">'
            f'<div style="font-weight:700">{self.mark} {spelled(self.name)}</div>'
            f"{''.join(f'<div>{spelled(each)}</div>' for each in said)}</div></div>"
        )


@dataclass(frozen=True)
class _Action:
    """short: what the box has room for."""

    name: str
    mark: str
    said: str
    short: str


def _action(action: State, stage: str, away: str) -> _Action:
    """An action of a stage; stage: the stage's status, "" where the execution is not there."""
    latest = action.get("latestExecution", {}) if stage else {}
    status = str(latest.get("status", ""))
    if not status:
        short = _NOT_REACHED if stage else away
    elif latest.get("token"):
        short = "waits for an approval"
    else:
        short = {"InProgress": "in progress"}.get(status, status.lower())
    error = latest.get("errorDetails")
    said = f"{status}: {error['message']}" if status and error else short
    return _Action(action["actionName"], _mark(status), said, short)


def _condition(kind: str, stage: State) -> _Action | None:
    """A condition of a stage that was looked at; kind: its member of the stage's definition."""
    latest = stage.get(f"{kind}ConditionState", {}).get("latestExecution")
    if not latest:
        return None
    status, summary = str(latest["status"]), latest.get("summary")
    short = {"InProgress": "in progress"}.get(status, status.lower())
    said = f"{status}: {summary}" if summary else short
    return _Action(f"condition {kind}", _mark(status), said, short)


def _mark(status: str) -> str:
    return _MARKS.get(status, _WAITS)
