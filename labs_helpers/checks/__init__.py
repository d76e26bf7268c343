"""Checks: what the world must look like when an exercise is done.

One module a lab, ``lab05.py``; each check is a function from a :class:`World` to an outcome, told
apart by an id such as "05.1". A check looks at state only, through boto3, the registry's HTTP API
or Docker's files, so that any way of reaching the goal passes, in the sandbox and on AWS.
"""

from labs_helpers.checks.outcome import CheckError, NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import UnknownCheck, check, run
from labs_helpers.checks.world import Login, World

__all__ = [
    "CheckError",
    "Login",
    "NotAttempted",
    "NotYet",
    "Outcome",
    "Passed",
    "UnknownCheck",
    "World",
    "check",
    "run",
]
