"""A pipeline as a row of boxes, one a stage, with what each action does: of GetPipelineState."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
}
_WAITS = "○"
"""The mark of a stage or an action that the execution has not reached."""
_COLOURS = {"Succeeded": GOOD, "Failed": BAD, "InProgress": CALM}
_PLAIN = "var(--jp-border-color2)"

State = Mapping[str, Any]


def drawn(state: State, execution: State) -> Rendering:
    """The boxes. state: of GetPipelineState; execution: of GetPipelineExecution, the newest."""
    wanted = execution["pipelineExecutionId"]
    stages = [(stage, _status(stage, wanted)) for stage in state["stageStates"]]
    sentence = f"The pipeline {state['pipelineName']}: {_said(execution, state)}"
    row = "  →  ".join(f"{_mark(status)} {stage['stageName']}" for stage, status in stages)
    lines = [line for stage, status in stages for line in _lines(stage, status)]
    text = "\n".join([sentence, "", row, "", *lines])
    boxes = '<span aria-hidden="true" style="align-self:center">→</span>'.join(
        _box(stage, status) for stage, status in stages
    )
    return Rendering(
        text,
        f"<p>{spelled(sentence)}</p>"
        f'<div style="display:flex;flex-wrap:wrap;gap:6px;align-items:stretch">{boxes}</div>',
    )


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


def _said(execution: State, state: State) -> str:
    status = execution["status"]
    if status == "InProgress" and waits_for_someone(state, execution):
        return f"the stage {next(_asked(state))['stageName']} waits for an approval."
    said = {
        "InProgress": "an execution is in progress",
        "Succeeded": "the last execution succeeded",
        "Failed": "the last execution failed",
        "Stopped": "the last execution was stopped",
        "Stopping": "an execution is being stopped",
        "Superseded": "the last execution was superseded",
    }
    return f"{said.get(status, status)}."


def _status(stage: State, execution: str) -> str:
    """The status of a stage in an execution; "" before the execution is there."""
    latest = _latest(stage)
    return str(latest["status"]) if latest.get("pipelineExecutionId") == execution else ""


def _mark(status: str) -> str:
    return _MARKS.get(status, _WAITS)


def _lines(stage: State, status: str) -> Iterator[str]:
    if _held(stage):
        yield f"{stage['stageName']}: the transition is disabled: {_held(stage)}"
    for name, mark, said in _actions(stage, status):
        yield f"{mark} {stage['stageName']} / {name}: {said}"


def _held(stage: State) -> str:
    transition = stage.get("inboundTransitionState", {})
    return "" if transition.get("enabled", True) else str(transition.get("disabledReason", ""))


def _actions(stage: State, status: str) -> Sequence[tuple[str, str, str]]:
    """(action, mark, sentence) of each action of a stage."""
    found = []
    for action in stage["actionStates"]:
        latest = action.get("latestExecution", {}) if status else {}
        mine = str(latest.get("status", ""))
        found.append((action["actionName"], _mark(mine), _what(latest, mine)))
    return found


def _what(latest: State, status: str) -> str:
    if not status:
        return "not yet"
    if error := latest.get("errorDetails"):
        return f"{status}: {error['message']}"
    if latest.get("token"):
        return "waits for an approval"
    return {"InProgress": "in progress"}.get(status, status.lower())


def _box(stage: State, status: str) -> str:
    colour = WARN if _held(stage) else _COLOURS.get(status, _PLAIN)
    actions = "".join(
        f"<div>{mark} {spelled(name)}: {spelled(said)}</div>"
        for name, mark, said in _actions(stage, status)
    )
    held = f"<div>{spelled(f'transition disabled: {_held(stage)}')}</div>" if _held(stage) else ""
    return (
        f'<div style="border:1px solid var(--jp-border-color2);border-top:6px solid {colour};'
        "background:var(--jp-layout-color1);color:var(--jp-ui-font-color1);padding:6px 12px;"
        'max-width:18em;overflow-wrap:anywhere">'
        f'<div style="font-weight:700">{_mark(status)} {spelled(stage["stageName"])}</div>'
        f"{held}{actions}</div>"
    )
