"""Checks of lab 05: Docker's logins, which the check tries on the registries."""

from __future__ import annotations

from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World
from labs_helpers.defaults import registry_of

SECOND_REGION = "eu-west-1"
LOGINS = "the credentials in .labs/docker/config.json"


@check("05.1")
def logged_in_to_second_region(world: World) -> Outcome:
    wanted = world.host(SECOND_REGION)
    logins = world.logins()
    if not logins:
        return NotAttempted(LOGINS, "the login line of this lab, with another region in it")
    if wanted not in logins:
        return NotYet(
            LOGINS,
            "\n".join(sorted(logins)),
            wanted,
            "the region stands twice in the command: which of the two did you change?",
        )
    answer = world.ask_registry(wanted).accepts_login()
    if answer.status != 200:
        return NotYet(
            f"what {wanted} says to your login",
            answer.says(),
            "the registry accepts it",
            "a password of one region is refused in another: change the region in both places",
        )
    who = str(world.client("sts").get_caller_identity()["Arn"]).rsplit("/", 1)[-1]
    return Passed(
        f"Docker is logged in to {SECOND_REGION} as user {who}.",
        "This says nothing about what that user may push there: lab 02 did.",
    )


@check("05.2")
def colleague_can_push(world: World) -> Outcome:
    host, repository = world.host(), f"{world.repository}"
    looked_at = f"tag from-colleague in {repository}, asked of {host}"
    seen = world.ask_registry(host, world.fresh_login()).manifest(repository, "from-colleague")
    if seen.status == 200:
        return Passed(
            f"{repository}:from-colleague is in the registry: the push reached {world.region}.",
            "The login it used ends 12 hours after it was made, and then the push fails again.",
        )
    logins = world.logins()
    if host not in logins:
        return NotYet(
            LOGINS,
            "\n".join(sorted(logins)) or "no login",
            host,
            "which registry is in the name that is pushed, and which one did they log in to?",
        )
    regions = {found[1] for other in logins if (found := registry_of(other)) is not None}
    others = sorted(regions - {world.region})
    return NotYet(
        looked_at,
        seen.says(),
        "a manifest",
        "the login is right now: run the push"
        + (f" (to {world.region}, not to {others[0]})" if others else ""),
    )
