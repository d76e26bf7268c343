"""Which phases run after which failure, by AWS's page on phase transitions."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_helpers.buildspec.model import PHASES, OnFailure
from labs_helpers.buildspec.transitions import UPLOAD, after
from tests.buildspec.builds import phases, run

ACTIONS = (None, "ABORT", "CONTINUE", "RETRY")
Action = st.sampled_from(ACTIONS).map(lambda name: name and OnFailure(name))  # type: ignore[arg-type]


def path(failing: set[str], actions: dict[str, OnFailure | None]) -> list[str]:
    """The phases that run."""
    ran: list[str] = []
    phase: str | None = PHASES[0]
    while phase and phase != UPLOAD:
        ran.append(phase)
        phase = after(phase, phase in failing, actions.get(phase))
    return ran + ([UPLOAD] if phase else [])


@pytest.mark.parametrize(
    ("failing", "ran"),
    [
        (set(), [*PHASES, UPLOAD]),
        ({"install"}, ["install"]),
        ({"pre_build"}, ["install", "pre_build"]),
        ({"build"}, [*PHASES, UPLOAD]),
        ({"post_build"}, [*PHASES, UPLOAD]),
        ({"build", "post_build"}, [*PHASES, UPLOAD]),
    ],
)
def test_without_on_failure(failing: set[str], ran: list[str]) -> None:
    assert path(failing, {}) == ran


@settings(deadline=None)
@given(st.sets(st.sampled_from(PHASES)), st.fixed_dictionaries(dict.fromkeys(PHASES, Action)))
def test_properties_of_every_path(failing: set[str], actions: dict[str, OnFailure | None]) -> None:
    ran = path(failing, actions)
    # in order, and without a gap
    assert ran == [*PHASES, UPLOAD][: len(ran)]
    # a phase that succeeded, or that says CONTINUE, is followed by the next
    for phase in ran[:-1]:
        assert phase not in failing or (actions[phase] or OnFailure("RETRY")).action != "ABORT"
    # the path ends early only in a phase that failed and does not say CONTINUE
    if ran[-1] != UPLOAD:
        assert ran[-1] in failing
        assert (actions[ran[-1]] or OnFailure("RETRY")).action != "CONTINUE"
    # a failed build is followed by post_build, unless it says ABORT
    if "build" in ran and (actions["build"] or OnFailure("RETRY")).action != "ABORT":
        assert "post_build" in ran


@pytest.mark.parametrize("failing", PHASES)
@pytest.mark.parametrize("action", ACTIONS[:3])
def test_a_real_build_takes_the_same_path(tmp_path: Path, failing: str, action: str | None) -> None:
    text = ""
    for name in PHASES:
        text += f"  {name}:\n    commands: ['{'exit 7' if name == failing else 'true'}']\n"
        if name == failing and action:
            text += f"    on-failure: {action}\n"
    ran = run(tmp_path, phases(text))
    wanted = path({failing}, {failing: action and OnFailure(action)})  # type: ignore[dict-item,arg-type]
    assert list(ran.phases) == ["DOWNLOAD_SOURCE", *(name.upper() for name in wanted)]
    assert [name for name, status in ran.phases.items() if status == "FAILED"] == [failing.upper()]
    assert ran.result.status == "FAILED"
