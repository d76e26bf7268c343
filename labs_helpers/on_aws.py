"""What a lab does beside its lesson in AWS mode: marks cells, tags what they make, says what to do.

A cell that makes or changes something in the account says so above its output. After such a cell,
what the labs made gets the tag ``labs:session``. After a cell that changes who may do what, the
labs wait until AWS has most likely seen the change everywhere, as the lesson tells the learner to.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers import aws_session
from labs_helpers.clean_up.found import THEIRS, before_of, note_before, tag_ours
from labs_helpers.clean_up.listed import listed
from labs_helpers.defaults import OTHER_ACCOUNT
from labs_helpers.files import LabsError
from labs_helpers.prepare import Place, prices

_WRITES = "create|put|register|upload|start|attach|add|tag|update|set|delete|batch-delete|remove"
_MAKES = re.compile(
    rf"\baws\s+[a-z0-9-]+\s+(?:--\S+\s+\S+\s+)*(?:{_WRITES})-[a-z]"
    rf"|\.(?:{_WRITES.replace('-', '_')})_[a-z_]+\(|\baws\s+s3\s+(?:mb|cp|rb|rm|mv|sync)\b"
    r"|\bdocker\s+pull\b[^\n]*\$REGISTRY/(?:docker-hub|k8s|labs-public)/"
    r"|\bdocker\s+push\b|\.push\(|\blabs\s+(?:build|connect)\b|\blab\.prepare\(|\blabs\s+sbom\b.*--push"
)
"""A command or call that changes something in an account or a registry.

A pull through a cache makes a repository.
"""

_SETTLES = re.compile(
    r"\baws\s+iam\s+(?:add|attach|create|delete|detach|put|remove|set|update)-[a-z]"
    r"|\biam\.(?:add|attach|create|delete|detach|put|remove|set|update)_[a-z_]+\("
    r"|\baws\s+ecr\s+create-repository\b|\blab\.prepare\("
)
"""A command or call whose effect AWS sees everywhere after some seconds only."""
SETTLE = "LABS_AWS_SETTLE"
_SETTLE_SECONDS = 10.0
"""AWS names no time, and advises to check that a change is seen before it is used:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

_PARTNER = re.compile(rf"\blabs-partner\b|\bpartner-pull\.json\b|\b{OTHER_ACCOUNT}\b")
"""What a cell names that lets another account in: without a second account of the learner's, the
lesson's number is a stranger's."""
_KEY = re.compile(r"\bpayments[-/]ledger\b")
"""What a cell of lab 04 names that makes or needs a key of the learner's own in AWS KMS."""
_WORD = re.compile(r"[\w./${}-]+")
_VARIABLE = re.compile(r"\$\{?\w+\}?")


def makes_something(source: str) -> bool:
    """Whether a cell makes or changes something in the account, as far as its text tells."""
    return bool(_MAKES.search(source.replace("\\\n", " ")))


def settles(source: str) -> bool:
    """Whether what a cell changes is seen everywhere after some seconds only."""
    return bool(_SETTLES.search(source.replace("\\\n", " ")))


def settle_seconds(environ: Mapping[str, str] | None = None) -> float:
    """How long the labs wait after such a cell: LABS_AWS_SETTLE, or 10 seconds.

    Raises LabsError for a value that is no number of seconds.
    """
    text = (os.environ if environ is None else environ).get(SETTLE, "")
    try:
        seconds = float(text) if text else _SETTLE_SECONDS
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 600:
        raise LabsError(
            f"{SETTLE} is {text!r}. It is the number of seconds, 0 to 600, that the labs wait on "
            "AWS after a cell that changes who may do what; unset it for 10."
        )
    return seconds


def notes(place: Place, number: str) -> tuple[str, ...]:
    """What the card says in AWS mode; notes what is there before the lab makes anything.

    Raises ClientError, BotoCoreError and WorkspaceError.
    """
    session = aws_session.required(place.workspace)
    found = note_before(place, number)
    said = [
        f"what the labs make here gets the tag labs:session={session.name}",
        "nothing is made before you run a cell that makes it; labs clean-up deletes it again",
    ]
    if number == "01":
        said.append(
            "the labs keep no key of yours: your credentials come from your own profile, so the "
            "cells that type a key or set the key in variables show something else here. In "
            "exercise 01.1 a profile gets the same source instead of the same key: aws configure "
            'set credential_process "$(aws configure get credential_process)" --profile workshop'
        )
    if session.partner_profile is None and number == "02":
        said.append(
            "the parts with a partner's account need a second account of yours; name its profile: "
            "labs lab --aws --partner-profile NAME. Without it, these cells are not run"
        )
    if number in ("09", "11", "13"):
        said.append(
            "nobody can finish a connection to GitHub for you, so a repository of CodeCommit "
            "stands for the one on GitHub: its name is demo-app, git pushes each commit of this "
            "folder, and the pipeline looks for new ones from time to time. gate.yml, "
            "pipeline.json and pipeline-policy.json say so after lab.prepare. The connection stays "
            "PENDING, and what a workflow on GitHub would send is left out"
        )
        said.append(
            "builds and the actions of the pipeline are billed by the minute, beyond what your "
            "account has free each month: https://aws.amazon.com/codebuild/pricing/ and "
            "https://aws.amazon.com/codepipeline/pricing/"
        )
    if number in ("09", "10", "11", "12", "13", "14"):
        said.append(
            "each task that runs costs about "
            f"{prices.task_hour(place.workspace):.3f} USD an hour, and has a public address at "
            "which everybody can read the page: security group demo-app-web, port 80"
        )
    if found:
        said.append(
            f"{THEIRS.lower()}, and the labs leave them: {', '.join(found)}. Cells that would "
            "change them are not run: take another account or region for this lab"
        )
    return tuple(said)


def mark_cells(place: Place, number: str) -> None:
    """From now on, cells of this kernel that make something say so, and what they made is tagged.

    Outside IPython nothing is done. Raises LabsError for a wrong LABS_AWS_SETTLE.
    """
    from IPython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        return
    for event in ("pre_run_cell", "post_run_cell"):
        for earlier in [one for one in shell.events.callbacks[event] if hasattr(one, "on_aws")]:
            shell.events.unregister(event, earlier)
    shell.input_transformers_cleanup[:] = [
        one for one in shell.input_transformers_cleanup if not hasattr(one, "on_aws")
    ]
    shell.input_transformers_cleanup.append(_guarded(place, number))
    shell.events.register("pre_run_cell", _marked(place))
    shell.events.register("post_run_cell", _tagged(place, number, settle_seconds()))


def needs_own_key(source: str) -> bool:
    """Whether a cell makes or needs a key of the learner's own in AWS KMS, which costs."""
    return bool(_KEY.search(source))


def touches(source: str, theirs: Sequence[str]) -> list[str]:
    """The things among ``theirs``, each "kind name", that a cell names and may change."""
    return [one for one in theirs if makes_something(source) and _names(source, _name(one))]


def _names(source: str, name: str) -> bool:
    """Whether a cell has a name as a word, or a word with variables that can be the name."""
    words = {word.strip("./") for word in _WORD.findall(source)}
    if name.strip("./") in words:
        return True
    for word in words:
        fixed = _VARIABLE.split(word)
        # a variable alone can be any name: then the cell says the name elsewhere
        if len(fixed) > 1 and any(len(part) > 3 for part in fixed):
            pattern = r"[\w.-]+".join(map(re.escape, fixed))
            if re.fullmatch(pattern, name):
                return True
    return False


def _name(thing: str) -> str:
    """The name in "event rule demo-app-pushed", or in "service demo/web" without its cluster."""
    kind, _, name = thing.rpartition(" ")
    return name.rpartition("/")[2] if kind == "service" else name


def _guarded(place: Place, number: str) -> Callable[[list[str]], list[str]]:
    """A transformer of cells: a cell that would touch what is not the labs' says so instead."""

    partner = aws_session.required(place.workspace).partner_account

    def guard(lines: list[str]) -> list[str]:
        source = "".join(lines)
        if partner is None and _PARTNER.search(source):
            said = (
                "This cell works with a partner's account, and you have named none, so it was not "
                "run. With a second account of yours: labs lab --aws --partner-profile NAME"
            )
        elif needs_own_key(source):
            said = (
                "This cell is about a key of your own in AWS KMS, which costs 1 USD a month, and "
                "waits 7 days before it can be deleted: it was not run. The sandbox shows it for "
                "nothing."
            )
        elif found := touches(source, before_of(place, number)):
            said = (
                f"{THEIRS}: {', '.join(found)}. This cell would change or delete them, so it was "
                "not run. Take another account or region for this lab, or run its other lines one "
                "by one."
            )
        else:
            return lines
        return ["from labs_helpers.errors import LabError\n", f"raise LabError({said!r})\n"]

    guard.on_aws = True  # type: ignore[attr-defined]
    return guard


def mark(place: Place) -> str:
    """The line above the output of a cell that makes something."""
    return (
        f"REAL AWS · account {place.account} · {place.region} · this cell makes or changes things"
    )


def _marked(place: Place) -> Callable[[Any], None]:
    def before(info: Any) -> None:
        if makes_something(str(info.raw_cell)):
            print(mark(place), flush=True)

    before.on_aws = True  # type: ignore[attr-defined]
    return before


def _tagged(place: Place, number: str, seconds: float) -> Callable[[Any], None]:
    def after(result: Any) -> None:
        source = str(result.info.raw_cell)
        if seconds and settles(source):
            print(f"AWS needs some seconds until it sees this everywhere: waiting {seconds:g} s")
            sys.stdout.flush()
            time.sleep(seconds)
        if makes_something(source):
            for line in tag(place, number):
                print(line)

    after.on_aws = True  # type: ignore[attr-defined]
    return after


def tag(place: Place, number: str) -> list[str]:
    """Tag what the lab has made; in words, what could not be tagged."""
    session = aws_session.required(place.workspace)
    wanted = [one for one in listed(place.account) if number in one.labs]
    try:
        refused = tag_ours(place, session.name, wanted)
    except (ClientError, BotoCoreError, LabsError) as error:
        # the record of what was there before still says what the labs made
        return [f"The labs could not tag what this cell made: {error}"]
    return [f"The labs could not tag what this cell made, {one}" for one in refused]
