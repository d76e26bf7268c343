"""Learners of a hub who work in different labs at once, with mistakes; machine.py's copy, as root.

    python -m tests.hub.twelve STUCK LAB LAB ... LATE

One learner works in each lab: runs its cells, gives a wrong answer, and later the right one. The
hub restarts in between, and is killed afterwards; the next hub culls all servers. The learner in
lab STUCK has no right answer and is caught up by the instructor; the one in the last lab comes
late, after the restart. Prints what was found as JSON, last.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import websocket

from labs_helpers.catch_up import Cell
from tests.hub.class_day import CULL, make_learners
from tests.hub.class_help import LABS
from tests.hub.guide import SECONDS, end, hub, processes, root, step, tail, until
from tests.hub.learner import Learner
from tests.hub.mistakes import Work, work

ROOM = f"{LABS} class --homes /home"
MADE = "aws ecr create-repository --repository-name of-{name} --output text"
SO_FAR = Path("/root/found.json")
"""What was found until now: in the copy, so outside it below /proc/PID/root."""
ASKED = "!aws ecr describe-repositories --query repositories[].repositoryName --output text"

FAILED = (AssertionError, OSError, websocket.WebSocketException)
"""How a cell, a login or a server fails; requests' errors are OSError."""

Found = dict[str, Any]
Room = Sequence[tuple[Learner, Work]]


def comes(learner: Learner) -> None:
    """A learner logs in, in a new browser, and gets a server."""
    learner.session.cookies.clear()
    learner.log_in()
    learner.spawn()


def played(learner: Learner, at: Work, cells: Sequence[Cell], may_fail: bool) -> None:
    """Run cells; raise for one that fails and may not."""
    for cell in cells:
        try:
            learner.execute(at.path, [cell.source])
        except AssertionError:
            if not (cell.may_fail or may_fail):
                raise


def tries(learner: Learner, at: Work) -> Found:
    """Start the lab, run its cells up to the exercise, make something, and give a wrong answer."""
    comes(learner)
    (card,) = learner.execute(at.path, [at.start])
    played(learner, at, at.before, may_fail=False)
    played(learner, at, [at.wrong, *at.after], may_fail=True)
    made = f"!{MADE.format(name=learner.name)}\nopen('mine.txt', 'w').write('{learner.name}')"
    _, refused = learner.execute(at.path, [made, at.check])
    return {"card": card, "refused": refused}


def goes_on(learner: Learner, at: Work) -> Found:
    """Come back after the restart, ask where one was, and give the right answer."""
    comes(learner)
    found = looks(learner, at)
    if at.number != STUCK:
        answers(learner, at)
        (found["then"],) = learner.execute(at.path, [at.check])
    return found


def answers(learner: Learner, at: Work) -> None:
    """Give the right answer after the wrong one; no cell fails."""
    played(learner, at, [*at.again, at.right, *at.watched, *at.after], may_fail=False)


def looks(learner: Learner, at: Work) -> Found:
    """What the card and the check say, and what of the learner's own is there."""
    asked = (at.start, at.check, ASKED, "!cat mine.txt")
    card, said, repositories, file = learner.execute(at.path, asked)
    return {"card": card, "said": said, "repositories": repositories.split(), "file": file.strip()}


def comes_late(learner: Learner, at: Work) -> Found:
    """What all others did until now, and then the right answer."""
    found = tries(learner, at)
    answers(learner, at)
    (found["then"],) = learner.execute(at.path, [at.check])
    return found


def at_once(room: Room, what: Callable[[Learner, Work], Found]) -> dict[str, Found]:
    """What each learner finds, by lab, all at the same time; "failed" where one cannot go on."""

    def one(pair: tuple[Learner, Work]) -> Found:
        try:
            return what(*pair)
        except FAILED as error:  # the others go on, as in a room; the test fails with these words
            return {"failed": f"{type(error).__name__}: {error}"}

    with ThreadPoolExecutor(len(room)) as pool:
        return {at.number: found for (_, at), found in zip(room, pool.map(one, room), strict=True)}


def late(count: int) -> Learner:
    """Step 6 again for one more."""
    root(step(6).replace(" 40 ", f" {count} ").replace("learners.txt", "late.txt"))
    return Learner(*Path("/root/late.txt").read_text().split())


def seen() -> Found:
    """What the instructor's command says of the room."""
    found: Found = json.loads(root(f"{ROOM} --json"))
    return found


def nobody_runs(room: Room) -> bool:
    """Whether no learner has a process."""
    return not any(processes(learner.name) for learner, _ in room)


def killed(room: Room) -> list[str]:
    """The hub was killed: end its proxy too; the learners whose servers still run."""
    proxy = int(Path("/var/lib/jupyterhub/proxy.pid").read_text().split()[0])
    os.kill(proxy, signal.SIGKILL)
    until("the proxy ends", lambda: not psutil.pid_exists(proxy))
    return [learner.name for learner, _ in room if "server" in processes(learner.name)]


def day(numbers: Sequence[str]) -> Found:
    """The day of these learners."""
    *early, last = numbers
    room: Room = list(zip(make_learners(len(early)), map(work, early), strict=True))
    server = hub()
    found: Found = {"names": {at.number: learner.name for learner, at in room}}
    found["tries"] = at_once(room, tries)
    found["seen_before"] = seen()
    SO_FAR.write_text(json.dumps(found))
    end(server)
    until("all end with the hub", lambda: nobody_runs(room))
    server = hub()
    one = (late(len(numbers)), work(last))
    found["names"][last] = one[0].name
    with ThreadPoolExecutor(1) as pool:
        of_late = pool.submit(at_once, [one], comes_late)
        found["goes_on"] = at_once(room, goes_on)
        found["late"] = of_late.result()[last]
    (stuck, at), *_ = [pair for pair in room if pair[1].number == STUCK]
    found["caught_up"] = root(f"{ROOM} --catch-up {stuck.name} {at.exercise}")
    SO_FAR.write_text(json.dumps(found))
    everybody = [*room, one]
    server.kill()
    server.wait(SECONDS)
    found["outlive"] = killed(everybody)
    os.environ["CULL"] = str(CULL)
    server = hub()
    until("all are culled", lambda: nobody_runs(everybody))
    end(server)
    os.environ["CULL"] = "3600"
    server = hub()
    found["comes_back"] = at_once(everybody, lambda *pair: (comes(pair[0]), looks(*pair))[1])
    found["seen"] = seen()
    found["of_root"] = root("find /home/learner* -user root")
    end(server)
    until("all end with the last hub", lambda: nobody_runs(everybody))
    return found


if __name__ == "__main__":
    STUCK = sys.argv[1]
    try:
        print(json.dumps(day(sys.argv[2:])))
    except BaseException:
        print(SO_FAR.read_text()[-4000:] if SO_FAR.exists() else "", file=sys.stderr)
        print(tail(), file=sys.stderr)
        raise
