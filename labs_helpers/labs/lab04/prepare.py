"""Lab 04 starts from an account in which it has made nothing yet."""

from contextlib import suppress

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.repositories import no_repository
from labs_helpers.prepare.step import Place, Step

KEY = "alias/payments-ledger"
"""The name of the key that encrypts payments/ledger."""


def _no_template(place: Place) -> None:
    ecr = place.client("ecr")
    with suppress(ecr.exceptions.TemplateNotFoundException):
        ecr.delete_repository_creation_template(prefix="payments")
        place.removed.append("the creation template for payments")


def _no_key(place: Place) -> None:
    kms = place.client("kms")
    with suppress(kms.exceptions.NotFoundException):
        key = kms.describe_key(KeyId=KEY)["KeyMetadata"]["Arn"]
        kms.delete_alias(AliasName=KEY)
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        place.removed.append(f"the key {KEY}, which KMS deletes in 7 days")


STEPS = (
    configured(),
    no_repository(),
    no_repository("payments/api"),
    no_repository("payments/web"),
    no_repository("payments/ledger"),
    no_repository("team-a/api"),
    Step("no creation template for payments", _no_template),
    # on AWS there is none: labs_helpers/on_aws.py leaves its cells out
    Step("no key for the ledger", _no_key, on_aws=False),
    as_they_came("04", "lifecycle.json and release.py are as they came"),
)
