"""The account and region of a learner's own, in texts that name the labs' usual ones.

Lessons, files and questions are written for account 123456789012 in us-west-2. A learner who chose
others (`labs configure --account --region`) reads and runs the same texts with those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from labs_helpers.defaults import ACCOUNT, OTHER_ACCOUNT, REGION, SECOND_REGION


@dataclass(frozen=True)
class OwnNames:
    """The account (12 digits) and the region that a learner works in.

    ``second_account`` is the account of the learner's that plays the partner's, where the learner
    has one.
    """

    account: str = ACCOUNT
    region: str = REGION
    second_account: str = OTHER_ACCOUNT

    def of(self, text: str) -> str:
        """A text of the labs with the learner's names.

        Names are exchanged, never only replaced: a learner whose account is the partner's has the
        usual account as a partner, and a learner in the lessons' second region has the usual
        region as the second one. So two names that differ in a lesson still differ.
        """
        if not self._exchanged:
            return text
        return self._pattern.sub(lambda found: self._exchanged[found[0]], text)

    def in_file(self, content: bytes) -> bytes:
        """The content of one of the labs' files, with the learner's names where it is text."""
        try:
            return self.of(content.decode()).encode()
        except UnicodeDecodeError:
            return content

    @property
    def partner(self) -> str:
        """The account that plays the partner's."""
        return self.of(OTHER_ACCOUNT)

    @property
    def second_region(self) -> str:
        """The region in which the team of the lessons works as well."""
        return self.of(SECOND_REGION)

    @cached_property
    def _exchanged(self) -> Mapping[str, str]:
        pairs = [(ACCOUNT, self.account), (REGION, self.region)]
        if self.region != REGION:
            pairs.append((_place(REGION), _place(self.region)))
        both = {one: other for one, other in pairs if one != other}
        exchanged = both | {other: one for one, other in both.items()}
        if self.second_account != OTHER_ACCOUNT:
            exchanged[OTHER_ACCOUNT] = self.second_account
        return exchanged

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # neither a part of a longer number or name; an availability zone ends in a letter
        listed = "|".join(re.escape(one) for one in self._exchanged)
        return re.compile(rf"(?<![A-Za-z0-9])(?:{listed})(?![\dA-Z]|[a-z]{{2}})")


USUAL = OwnNames()


def _place(region: str) -> str:
    """Where a region is: "Oregon" for us-west-2, from botocore's list of regions."""
    described = regions().get(region, "")
    found = re.search(r"\((.+)\)", described)
    return found[1] if found else region


def regions() -> dict[str, str]:
    """The regions of the partition ``aws`` with their descriptions, as botocore lists them."""
    import botocore.session

    endpoints = botocore.session.get_session().get_data("endpoints")
    partition = next(one for one in endpoints["partitions"] if one["partition"] == "aws")
    return {name: region["description"] for name, region in partition["regions"].items()}
