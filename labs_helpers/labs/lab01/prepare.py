"""Lab 01 starts from no configuration, with the key at hand that it types in."""

from labs_helpers.prepare.buckets import no_bucket
from labs_helpers.prepare.configuration import key_at_hand, no_profile, not_configured

STEPS = (
    not_configured(),
    no_profile("workshop"),
    key_at_hand(),
    no_bucket("labs-cli"),
    no_bucket("labs-archive"),
)
