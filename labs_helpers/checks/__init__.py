"""What all checks share. A check looks at the state that an exercise leaves behind.

Each check is a function from a :class:`World` to an outcome, with an id such as "05.1", in
``labs/labNN/checks.py``. A check looks at state only, through boto3, the registry's HTTP API or
Docker's files. So every way of reaching the goal passes, in the sandbox and on AWS.
"""

from labs_helpers.checks.outcome import NAMES, CheckError, NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check, run
from labs_helpers.checks.world import Login, World

__all__ = [
    "NAMES",
    "CheckError",
    "Login",
    "NotAttempted",
    "NotYet",
    "Outcome",
    "Passed",
    "World",
    "check",
    "run",
]
