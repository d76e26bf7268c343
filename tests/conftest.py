"""For every test: the labs' own engine, whatever daemon the machine has, unless a test says."""

import os

os.environ["LABS_ENGINE"] = "embedded"
os.environ.pop("LABS_HUB", None)
