"""Who needs help on a day of a class: one comes late, and one is stuck."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.hub.guide import HUB, root, step
from tests.hub.learner import Learner

LABS = "/opt/labs/.venv/bin/labs"
LAB_05 = "05-log-in/05-log-in.ipynb"
TEACHER, PASSWORD = "teacher", "a-word-for-the-teacher"


def late_comer(count: int) -> dict[str, Any]:
    """Step 6 again for one more, into another file; that learner works like the others."""
    before = Path("/root/learners.txt").read_text()
    again = step(6).replace(" 40 ", f" {count + 1} ").replace("learners.txt", "late.txt")
    root(again)
    name, password = Path("/root/late.txt").read_text().split()
    late = Learner(name, password)
    late.log_in()
    late.spawn()
    first = 'from labs_helpers import start\nlab = start("00")'
    return {
        "name": name,
        "cells": late.execute("00-start-here.ipynb", [first]),
        "others": before == Path("/root/learners.txt").read_text(),
    }


def stuck(learner: Learner) -> dict[str, Any]:
    """A learner tries lab 05 in vain; the instructor hands out a hint, and does an exercise."""
    start = 'from labs_helpers import start\nlab = start("05")'
    tried = learner.execute(LAB_05, [start, 'lab.check("05.1")'])
    room = json.loads(root(f"{LABS} class --homes /home --json"))
    (row,) = [each for each in room["learners"] if each["name"] == learner.name]
    root(f"{LABS} class --homes /home --hint 05.1")
    (seen,) = learner.execute(LAB_05, ["1"])
    root(f"{LABS} class --homes /home --take-back")
    caught = root(f"{LABS} class --homes /home --catch-up {learner.name} 05.1")
    (checked,) = learner.execute(LAB_05, ['lab.check("05.1")'])
    root(f"{LABS} class --homes /home --reset {learner.name} --yes")
    (after,) = learner.execute(LAB_05, [f'{start}\nlab.check("05.1")'])
    return {
        "tried": tried,
        "row": row,
        "table": root(f"{LABS} class --homes /home"),
        "seen": seen,
        "caught": caught,
        "checked": checked,
        "after_the_reset": after,
        "of_root": root(f"find /home/{learner.name} -user root"),
    }


def seen_by_the_instructor(learner: Learner) -> dict[str, Any]:
    """The page of the class on the hub: for the instructors, and for nobody else."""
    root(
        f"useradd --create-home {TEACHER}; echo '{TEACHER}:{PASSWORD}' | chpasswd; "
        f"usermod -aG instructors {TEACHER}"
    )
    teacher = Learner(TEACHER, PASSWORD)
    teacher.log_in()
    pages = {}
    for each in (teacher, learner):
        page = each.session.get(f"{HUB}/hub/class", timeout=300)
        pages[each.name] = {"status": page.status_code, "text": page.text}
    return {"teacher": pages[TEACHER], "learner": pages[learner.name]}
