"""`python -m labs_helpers.cli` is the `labs` command."""

import sys

from labs_helpers.cli.main import main

sys.exit(main())
