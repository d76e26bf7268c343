"""Deleting what the labs made, in the order that AWS wants, until nothing goes any more."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.clean_up.found import Thing
from labs_helpers.clean_up.kinds import KINDS
from labs_helpers.prepare.step import Place

ROUNDS = 4
PAUSE = 3.0
"""Seconds between rounds. IAM's changes take seconds to be seen everywhere, so that AWS still sees
a policy that was just detached:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

_GONE = re.compile(r"NoSuch|NotFound|NonExistent|DoesNotExist|NotActive")
"""What a service's error code has in it where the thing is gone: NoSuchBucket, NoSuchEntity,
ResourceNotFoundException, AWS.SimpleQueueService.NonExistentQueue, ServiceNotActiveException."""


@dataclass(frozen=True)
class Remains:
    """A thing that could not be deleted, and AWS's reason."""

    thing: Thing
    reason: str


def delete(
    place: Place,
    things: Iterable[Thing],
    say: Callable[[str], None],
    wait: Callable[[float], None] = time.sleep,
) -> list[Remains]:
    """Delete the labs' things among ``things``, in their order; what remains, with the reasons.

    A thing that is not the labs' is left out. What AWS refuses is tried again, because the reason
    may be a thing that goes later, or a change that AWS does not see yet.
    """
    left = [thing for thing in things if thing.ours]
    remains: list[Remains] = []
    for number in range(ROUNDS):
        if number and left:
            wait(PAUSE)
        remains = []
        for thing in left:
            try:
                KINDS[thing.kind].delete(place, thing.name)
            except (ClientError, BotoCoreError) as error:
                if not _is_gone(error):
                    remains.append(Remains(thing, str(error)))
                    continue
            say(f"deleted: {thing}")
        left = [one.thing for one in remains]
    return remains


def _is_gone(error: Exception) -> bool:
    """Whether AWS says that there is no such thing: somebody else has just deleted it."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return bool(_GONE.search(code))
