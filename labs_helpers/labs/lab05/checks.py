"""Checks of lab 05: Docker's logins, which the check tries on the registries."""

from __future__ import annotations

import re

from labs_helpers.checks import images
from labs_helpers.checks.goal import Fact, Finding, named, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.pushed import pushed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.defaults import IMAGE, SECOND_REGION, registry_of

LOGINS = "the logins that Docker keeps for you"
COLLEAGUE = "from-colleague"
THEIR_REGION = "us-east-1"
_USER = re.compile(r"\b[Uu]ser: (arn:\S+)")


def _has_second(world: World) -> Finding | None:
    logins, region = world.logins(), world.own_names.second_region
    if world.host(region) in logins:
        return None
    regions = {found for host in logins if (found := registry_of(host)) is not None}
    elses = sorted(account for account, there in regions if there == region)
    return Finding(
        LOGINS,
        "\n".join(sorted(logins)),
        f"whose registry is it? your account is {world.account}, and this one is of {elses[0]}"
        if elses
        else "the region stands twice in the command: which of the two did you change?",
    )


def _second_works(world: World) -> Finding | None:
    return _works(
        world,
        world.host(world.own_names.second_region),
        "a password of one region is refused in another",
    )


def _second_is_yours(world: World) -> Finding | None:
    """Whether the registry names another user than the learner in what it refuses the login.

    A registry says whose a login is only when it refuses something. Who may read the images is not
    told apart from the learner.
    """
    caller = str(world.client("sts").get_caller_identity()["Arn"])
    host = world.host(world.own_names.second_region)
    answer = world.ask_registry(host).tags(world.repository)
    named = _USER.search(answer.says()) if answer.status == 403 else None
    if named is None or _principal(named[1]) == _principal(caller):
        return None
    return Finding(
        f"what {host} says to your login, asked for the tags of {world.repository}",
        answer.says(),
        "a password is its owner's, whoever types it: whose credentials asked for this one?",
    )


def _first_stays(world: World) -> Finding | None:
    logins = world.logins()
    if world.host() not in logins:
        return Finding(
            LOGINS,
            "\n".join(sorted(logins)),
            f"the login to {world.region} is gone: the line that made it makes it again",
        )
    return _works(
        world, world.host(), f"is the password for {world.region} under this name, and is it new?"
    )


def _works(world: World, host: str, of_another_region: str) -> Finding | None:
    """Whether a registry accepts Docker's login.

    ``of_another_region``: what to think about where a password that is ECR's own is refused.
    """
    answer = world.ask_registry(host).accepts_login()
    if answer.status == 200:
        return None
    suggestion = of_another_region
    if "expired" in answer.says():
        suggestion = "a password lasts for 12 hours: log in again"
    elif answer.status == 400:
        suggestion = "no registry of ECR gave this password: where does it come from?"
    return Finding(f"what {host} says to your login", answer.says(), suggestion)


SECOND_FACTS = (
    Fact(f"a login to your account's registry in {SECOND_REGION} as well", _has_second),
    Fact(f"a login to your account's registry in {SECOND_REGION} as well", _second_works),
    Fact(f"a login to your account's registry in {SECOND_REGION} as well", _second_is_yours),
    Fact("the login you have must stay", _first_stays),
)


@check("05.1", SECOND_FACTS)
def logged_in_to_second_region(world: World) -> Outcome:
    hosts = set(world.logins())
    if not hosts or (hosts == {world.host()} and not _first_stays(world)):
        return NotAttempted(LOGINS)
    return unmet(named(SECOND_FACTS, world.own_names), world) or Passed(
        f"Docker is logged in to {world.own_names.second_region} and to {world.region}.",
        "This says nothing about what you may push there: lab 02 did.",
    )


def _principal(arn: str) -> str:
    """The user of an ARN, or the role of a session: each login of a role has its own session."""
    return "/".join(arn.split("/")[:2]) if ":assumed-role/" in arn else arn


# the colleague's push


def _login(world: World) -> Finding | None:
    logins = world.logins()
    if _is_there(world):
        return None
    if elsewhere := _elsewhere(world):
        return Finding(
            f"tag {COLLEAGUE} in your account's registries",
            f"it is in {elsewhere}",
            "the push works there: where is the repository of the second fact?",
        )
    if world.host() not in logins:
        return Finding(
            LOGINS,
            "\n".join(sorted(logins)) or "no login",
            "which registry is in the name that is pushed, and which one did they log in to?",
        )
    return _works(world, world.host(), "the registry refuses the password under this name")


def _pushed(world: World) -> Finding | None:
    seen = world.ask_registry(world.host(), world.fresh_login())
    answer = seen.manifest(world.repository, COLLEAGUE)
    if answer.status == 200:
        return None
    regions = {found[1] for other in world.logins() if (found := registry_of(other)) is not None}
    others = sorted(regions - {world.region, world.own_names.second_region})
    return Finding(
        f"tag {COLLEAGUE} in {world.repository}, asked of {world.host()}",
        answer.says(),
        "the login is right now: the push is what is left"
        + (f" (to {world.region}, not to {others[0]})" if others else ""),
    )


def _is_their_image(world: World) -> Finding | None:
    """The image that the cell before tagged, where that is still on this machine."""
    local = images.find(f"{IMAGE}:latest")
    found = pushed(
        world.ask_registry(world.host(), world.fresh_login()), world.repository, COLLEAGUE
    )
    if local is None or found is None or found.diff_ids == images.diff_ids(local):
        return None
    return Finding(
        f"{world.repository}:{COLLEAGUE}",
        f"another image than {IMAGE}:latest, which the cell above gave this name",
        "which image did you push under it?",
    )


def _is_there(world: World) -> bool:
    seen = world.ask_registry(world.host(), world.fresh_login())
    return seen.manifest(world.repository, COLLEAGUE).status == 200


def _elsewhere(world: World) -> str:
    """The region of another login in which the image is; "" for none."""
    regions = {found[1] for other in world.logins() if (found := registry_of(other)) is not None}
    for region in sorted(regions - {world.region}):
        ecr = world.client("ecr", region)
        try:
            ecr.describe_images(repositoryName=world.repository, imageIds=[{"imageTag": COLLEAGUE}])
        except (
            ecr.exceptions.RepositoryNotFoundException,
            ecr.exceptions.ImageNotFoundException,
        ):
            continue
        return region
    return ""


COLLEAGUE_FACTS = (
    Fact("find what is wrong: a push still answers no basic auth credentials", _login),
    Fact(f"push demo-app-repo:{COLLEAGUE}", _pushed),
    Fact("the image they push", _is_their_image),
)


@check("05.2", COLLEAGUE_FACTS)
def colleague_can_push(world: World) -> Outcome:
    at_their_desk = images.find(f"{world.host()}/{world.repository}:{COLLEAGUE}") is not None
    second, theirs = world.own_names.second_region, world.own_names.of(THEIR_REGION)
    as_they_left = ({world.host(second), world.host(theirs)}, {world.host(theirs)})
    untouched = set(world.logins()) in as_they_left or not at_their_desk
    if untouched and not _is_there(world) and not _elsewhere(world):
        return NotAttempted(f"tag {COLLEAGUE} in {world.repository}, and {LOGINS}")
    return unmet(COLLEAGUE_FACTS, world) or Passed(
        f"{world.repository}:{COLLEAGUE} is in the registry: the push reached {world.region}.",
        "The login it used ends 12 hours after it was made, and then the push fails again.",
    )
