"""Test cases of a file in JUnit's XML, as the members of CodeBuild's TestCase.

The format has no standard; what is read here is what pytest, Surefire and jest-junit write:
https://github.com/testmoapp/junitxml. No page says how CodeBuild maps the file: the prefix is
`classname`, and a suite without cases of its own is passed over.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

LARGEST = 20 * 1024 * 1024
_NAME, _MESSAGE = 500, 2000
"""Characters of a name and of a message."""

_STATUS = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}


class NoReport(Exception):
    """The file is no report; the message says why."""


def cases(content: bytes) -> list[dict[str, Any]]:
    """The test cases of a file; raises NoReport, also for a file with entities of its own."""
    if len(content) > LARGEST:
        raise NoReport(f"it has more than {LARGEST >> 20} MiB")
    try:
        root = fromstring(content, forbid_dtd=True)
    except ParseError as error:
        raise NoReport(f"it is not XML: {error}") from error
    except DefusedXmlException as error:
        raise NoReport("it has a document type or entities, which a report of JUnit has not") from (
            error
        )
    except (ValueError, LookupError, RecursionError) as error:
        raise NoReport(f"it cannot be read: {error}") from error
    if root.tag not in ("testsuites", "testsuite"):
        raise NoReport(f"its first element is {root.tag}, and not testsuites or testsuite")
    suites = root.iter("testsuite")
    return [_case(suite, each) for suite in suites for each in suite.findall("testcase")]


def _case(suite: Element, case: Element) -> dict[str, Any]:
    found = next((each for each in case if each.tag in _STATUS), None)
    said = "" if found is None else found.get("message") or (found.text or "").strip()
    return {
        "prefix": case.get("classname", "")[:_NAME],
        "name": case.get("name", "")[:_NAME],
        "testSuiteName": suite.get("name", "")[:_NAME],
        "status": "SUCCEEDED" if found is None else _STATUS[found.tag],
        "durationInNanoSeconds": _nanoseconds(case.get("time", "")),
        "message": said[:_MESSAGE],
    }


def _nanoseconds(text: str) -> int:
    """Of seconds as a text; 0 for what is no number."""
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return 0
    return int(seconds * 1e9) if 0 <= seconds < 1e6 else 0
