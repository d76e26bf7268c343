"""Lab 00 starts from a working command line, and from nothing made yet."""

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.repositories import no_repository

STEPS = (configured(), no_repository("hello-labs"))
