"""Checks of lab 10: what runs, by which image and with whose rights."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.labs.delivery import names as delivery
from labs_helpers.labs.deployment.names import (
    CLUSTER,
    FAMILY,
    RELEASE,
    SHOP,
    SHOPS_RELEASE,
    SHOPS_ROLE,
    WEB,
)
from labs_helpers.labs.deployment.running import Running, look
from labs_helpers.labs.lab10 import rights

OF_THE_LESSON = ("1.0.0", "9.9.9")
OF_OTHER_LABS = (delivery.FAMILY,)
"""Families whose service has the name of this lab's service."""
COLLEAGUES = "1.0"
"""The tags that the lesson deploys, and the one that the colleague's file names."""
_UNCHANGED = {"shop.json": f'demo-app-repo:{COLLEAGUES}"', "shop-pull.json": 'repository/demo-app"'}
"""What the colleague's files say while nobody has changed them."""
_OF_THE_ROLE = ("403 Forbidden", "unable to pull secrets or registry auth")
"""What a pull ends with for want of rights."""
_OF_WEBS_ROLE = ("AccessDenied", "not authorized", *_OF_THE_ROLE)
_ADVICE_ON_A_ROLE = (
    "read the reason to the end of the line, then look at the role that it names. Once the role is "
    "right, give the service this revision again"
)
FILE = Path("task-definition.json")


# the service web runs an image by its digest


def _not_taken_back(web: Running) -> Finding | None:
    if not web.taken_back:
        return None
    return Finding(
        f"the newest revision of {FAMILY}, and the service {WEB}",
        f"{web.newest_image}\nno task of it runs: {web.taken_back}\n"
        "the deployment failed, and the service went back to the revision before",
        _ADVICE_ON_A_ROLE
        if any(each in web.taken_back for each in _OF_WEBS_ROLE)
        else "read the reason to the end of the line, then look at the image that you registered",
    )


def _service_by_digest(web: Running) -> Finding | None:
    name, _, digest = web.image.partition("@")
    if not digest:
        more = ""
        if "@" in web.newest_image:
            more = (
                f"\nthe newest revision of {FAMILY} has a digest, and the service has not taken it"
            )
        return Finding(
            web.looked_at,
            web.image + more,
            "a revision that is only registered runs nothing"
            if more
            else "this is a tag, and a tag can move: which digest has the tag now?",
        )
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return Finding(web.looked_at, web.image, "a digest is sha256: and 64 digits from 0 to f")
    # nobody looks a tag before the @ up: https://github.com/aws/amazon-ecs-agent/issues/4226
    repository = f"{web.world.host()}/{web.world.repository}"
    if name != repository and not re.fullmatch(re.escape(repository) + r":\w[\w.-]*", name):
        return Finding(
            web.looked_at, web.image, "before the @ stands the repository, with its registry"
        )
    return None


def _of_the_release(web: Running) -> Finding | None:
    world, digest = web.world, web.image.partition("@")[2]
    tags = world.tags()
    if digest == tags.get(RELEASE):
        return None
    if web.newest_image.partition("@")[2] == tags.get(RELEASE):
        return Finding(
            web.looked_at,
            f"{web.image}\nthe newest revision of {FAMILY} has the right digest, and the service "
            "has not taken it",
            "a revision that is only registered runs nothing",
        )
    others = sorted(tag for tag, found in tags.items() if found == digest)
    found = f"the image of {', '.join(others)}" if others else "an image without a tag"
    answer = world.ask_registry(world.host(), world.fresh_login()).manifest(
        world.repository, digest
    )
    if answer.status != 200:
        found = answer.says()
    return Finding(web.looked_at, f"{web.image}\n{found}", f"which digest has {RELEASE} now?")


def _from_the_file(web: Running) -> Finding | None:
    """Every value of the file is in the revision, but for the image."""
    wanted = json.loads(FILE.read_text(encoding="utf-8"))
    (container,) = wanted.pop("containerDefinitions")
    del container["image"]
    for here, there in ((wanted, web.definition), (container, web.container)):
        for name, value in here.items():
            if not _holds(there.get(name), value):
                return Finding(
                    f"{name} in the revision that the service {WEB} runs",
                    json.dumps(there.get(name)),
                    f"{FILE} has another value there, and only the image was to change",
                )
    return None


def _is_misnamed(image: str) -> bool:
    """Whether this is the image of the lesson's task whose repository is not there."""
    return "/demo-app:" in image


def _holds(found: Any, wanted: Any) -> bool:
    """Whether what ECS describes holds what was registered: ECS adds its own defaults."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_holds(found.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(map(_holds, found, wanted))
        )
    return bool(found == wanted)


def _two_tasks(web: Running) -> Finding | None:
    return web.runs(2)


WEB_FACTS = (
    Fact("the newest revision runs", _not_taken_back),
    Fact("the service runs the image by digest", _service_by_digest),
    Fact(f"the image of {RELEASE}", _of_the_release),
    Fact(f"a revision from {FILE}", _from_the_file),
    Fact("two tasks of it run", _two_tasks),
)


@check("10.1", WEB_FACTS)
def web_runs_one_image(world: World) -> Outcome:
    looks_at = f"the service {WEB} of the cluster {CLUSTER}, and what it runs"
    web = look(world, WEB)
    if (
        web is None
        or web.family in OF_OTHER_LABS
        or (
            web.is_tagged(*OF_THE_LESSON)
            and (web.newest_is_tagged(*OF_THE_LESSON) or _is_misnamed(web.newest_image))
        )
    ):
        return NotAttempted(looks_at)
    return unmet(WEB_FACTS, web) or Passed(
        f"Two tasks run the image that had the tag {RELEASE} when you looked. Wherever the tag "
        "moves, they run the same image.",
        "Open the page too: the check has looked at what ECS says, and not at the page.",
    )


# the colleague's service shop


def _one_task(shop: Running) -> Finding | None:
    found = shop.runs(1)
    if found is None or not any(each in found.found for each in _OF_THE_ROLE):
        return found
    if rights.may_log_in(shop.world, SHOPS_ROLE) and rights.may_pull(shop.world, SHOPS_ROLE):
        return Finding(
            found.looked_at,
            f"{found.found}\nthat was before you changed the role: it may pull now",
            "the service tries again by itself: watch it with lab.service, then check again",
        )
    return found


def _runs_the_release(shop: Running) -> Finding | None:
    tags = shop.world.tags()
    digests = {each.get("imageDigest") for task in shop.live for each in task["containers"]}
    if digests == {tags.get(SHOPS_RELEASE)}:
        return None
    found = sorted(tag for tag, digest in tags.items() if digest in digests)
    return Finding(
        f"the images of the tasks of {SHOP}",
        ", ".join(found) or "an image without a tag",
        "the colleague wanted the older one of the two versions",
    )


def _with_its_own_role(shop: Running) -> Finding | None:
    role = str(shop.definition.get("executionRoleArn", "none")).rpartition("/")[2]
    if role == SHOPS_ROLE:
        return None
    return Finding(
        f"the execution role of the tasks of {SHOP}",
        role,
        "with another role, the shop has rights that somebody gave to another application",
    )


def _can_pull_again(shop: Running) -> Finding | None:
    """A task that runs shows what the role could do when the task began."""
    looked_at = f"what the policies of {SHOPS_ROLE} allow now"
    if not rights.may_log_in(shop.world, SHOPS_ROLE):
        return Finding(
            looked_at,
            "ecr:GetAuthorizationToken on *: not allowed",
            "does a statement allow it, and for which resource? The next task needs a token",
        )
    if not rights.may_pull(shop.world, SHOPS_ROLE):
        return Finding(
            looked_at,
            f"a pull from {shop.world.repository}: not allowed",
            "the task that runs was pulled before; the next one needs the same rights",
        )
    return None


def _pulls_nothing_else(shop: Running) -> Finding | None:
    return _too_much(
        rights.first_too_many(shop.world, SHOPS_ROLE),
        "what does the resource of the statement cover that allows it?",
    )


def _changes_nothing(shop: Running) -> Finding | None:
    return _too_much(
        rights.first_change(shop.world, SHOPS_ROLE),
        "which actions does a pull need? Whoever gets the shop's credentials has all others too",
    )


def _too_much(allowed: str | None, advice: str) -> Finding | None:
    if allowed is None:
        return None
    return Finding(f"what the policies of {SHOPS_ROLE} allow", f"{allowed}: allowed", advice)


SHOP_FACTS = (
    Fact("one task of the shop runs", _one_task),
    Fact(f"a task of {SHOPS_RELEASE}", _runs_the_release),
    Fact(f"with its own role {SHOPS_ROLE}", _with_its_own_role),
    Fact(f"{SHOPS_ROLE} may log in to ECR and pull from demo-app-repo", _can_pull_again),
    Fact(f"{SHOPS_ROLE} may pull from no other repository", _pulls_nothing_else),
    Fact(f"{SHOPS_ROLE} may change nothing in ECR, nor its own rights", _changes_nothing),
)


@check("10.2", SHOP_FACTS)
def shop_serves_again(world: World) -> Outcome:
    looks_at = f"the service {SHOP} of the cluster {CLUSTER}, its tasks and their role"
    shop = look(world, SHOP)
    if shop is None:
        return NotAttempted(looks_at)
    untouched = shop.is_tagged(COLLEAGUES) and shop.newest_is_tagged(COLLEAGUES)
    if untouched and not rights.may_pull(world, SHOPS_ROLE):
        changed = [
            name for name, as_it_came in _UNCHANGED.items() if not _holds_text(name, as_it_came)
        ]
        if not changed:
            return NotAttempted(looks_at)
        return NotYet(
            looks_at,
            f"you changed {' and '.join(changed)}, and AWS has what the files said before",
            SHOP_FACTS[0].says,
            "which commands of shop.sh hand the two files to AWS?",
        )
    return unmet(SHOP_FACTS, shop) or Passed(
        "The shop runs again, with a role that pulls from one repository.",
        "IAM's simulator tried the role's own policies; a repository policy may add rights.",
    )


def _holds_text(name: str, text: str) -> bool:
    file = Path(name)
    return not file.exists() or text in file.read_text(encoding="utf-8", errors="replace")
