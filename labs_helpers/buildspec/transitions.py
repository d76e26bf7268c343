"""Which phase follows which.

The phases proceed as the page on phase transitions draws them: a failed INSTALL or PRE_BUILD ends
the build, POST_BUILD follows a failed BUILD, and UPLOAD_ARTIFACTS follows POST_BUILD in any case.
`on-failure` changes that: ABORT ends the build, CONTINUE goes on to the next phase.
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.phases.on-failure

Two points are in no page of AWS. After an ABORT nothing is uploaded here, because public logs of
builds that failed in PRE_BUILD end there, without an UPLOAD_ARTIFACTS. And a phase whose retries
are used up is a phase without `on-failure`.
"""

from __future__ import annotations

from labs_helpers.buildspec.model import PHASES, OnFailure

UPLOAD = "upload_artifacts"


def after(phase: str, failed: bool, on_failure: OnFailure | None) -> str | None:
    """The next of PHASES, or UPLOAD, or None for the end of the build."""
    if failed:
        action = on_failure.action if on_failure else None
        goes_on = action == "CONTINUE" or (action != "ABORT" and phase in ("build", "post_build"))
        if not goes_on:
            return None
    following = PHASES[PHASES.index(phase) + 1 :]
    return following[0] if following else UPLOAD
