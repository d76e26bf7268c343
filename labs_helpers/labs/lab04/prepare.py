"""Lab 04 starts from an account in which it has made nothing yet."""

from contextlib import suppress

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.repositories import no_repository
from labs_helpers.prepare.step import Place, Step


def _no_template(place: Place) -> None:
    ecr = place.client("ecr")
    with suppress(ecr.exceptions.TemplateNotFoundException):
        ecr.delete_repository_creation_template(prefix="payments")
        place.removed.append("the creation template for payments")


STEPS = (
    configured(),
    no_repository(),
    no_repository("payments/api"),
    no_repository("payments/web"),
    no_repository("team-a/api"),
    Step("no creation template for payments", _no_template),
    as_they_came("04", "lifecycle.json and release.py are as they came"),
)
