"""``python -m labs_helpers.engine.cli``: the stand-in docker. Python requires this file."""

import sys

from .main import main

sys.exit(main(sys.argv[1:]))
