"""Regular expressions that users give: matched for a short time, while others are answered.

Python's own matcher goes back and forth for years with some patterns, and holds up every thread
meanwhile. That of `regex` (https://github.com/mrabarnett/mrab-regex) ends at a time and lets the
other threads go on.
"""

from __future__ import annotations

LONGEST = 1000
"""Characters of a pattern."""
LONGEST_TEXT = 4096
"""Characters of a text that is matched: those of a parameter of CloudFormation.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""
_SECONDS = 0.5


class MayTakeLong(Exception):
    """The matcher has not come to an end with this pattern in time, or is not asked."""


class NoPattern(Exception):
    """This is no regular expression; the message says why."""


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text matches; raises MayTakeLong, NoPattern."""
    import regex  # imported late: few rules and templates have a pattern

    if len(pattern) > LONGEST or len(text) > LONGEST_TEXT:
        raise MayTakeLong
    try:
        found = regex.compile(pattern, cache_pattern=False)
        return found.fullmatch(text, timeout=_SECONDS, concurrent=True) is not None
    except TimeoutError as error:
        raise MayTakeLong from error
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise NoPattern(str(error) or "too deep or too large") from error
