# The README's two commands are `make lab` and `make test`; the rest is for contributors.
# Everything lives in this folder: the environment in .venv/, the sandbox in .labs/.

VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
# A folder of `make wheels`, from which pip then installs instead of the internet.
WHEELS ?=
LOUD   := $(BIN)/python -u -m pip install --disable-pip-version-check \
	$(if $(WHEELS),--no-index --find-links $(WHEELS))
PIP    := $(LOUD) --quiet
# What pip says of a file of pins, as a line for every 20 packages; the exit code is pip's.
SAID   = || echo "pip failed"; } | { n=0; while read -r line; do case "$$line" in \
	Collecting*|Requirement*) n=$$((n + 1)); if [ $$((n % 20)) = 0 ]; then \
	  echo "  $$n of about $$(grep -c "^[a-z].*==" $<) packages"; fi;; \
	Installing*) echo "  all are here; pip installs them ...";; \
	"pip failed") exit 1;; esac; done; }
# Of `make test`, two for each core up to four (they take 0.5 GB each), since tests wait for servers
# and containers two fifths of their time; 0 is none: one process.
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
PYTEST := $(BIN)/python -m pytest

# The newest Python of 3.11 and later on this machine, unless PYTHON says which.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && { echo $$p; break; }; done)

.PHONY: help lab install jupyterhub compiled wheels test all-tests tests check soak bench contents notebooks lock screenshot clean

help:
	@echo "make install     install the labs, and open nothing; make jupyterhub: with JupyterHub"
	@echo "make wheels      an offline kit for this platform (ARGS=jupyterhub: with JupyterHub)"
	@echo "make lab         open the workbook in JupyterLab (ARGS=--no-browser prints the URL only)"
	@echo "make test        every notebook, and every test that is quick: ten minutes on two cores"
	@echo "make all-tests   what CI runs: the slow tests too (tests/slow.txt)"
	@echo "make check       ruff and mypy, and the claims of the labs to look up again"
	@echo "make notebooks   run every notebook in a fresh sandbox and write its outputs"
	@echo "make contents    write the tables of labs and the foot of every notebook"
	@echo "make lock        resolve pyproject.toml into the hashed pins again"
	@echo "make soak        long runs: notebooks shuffled and repeated, a gigabyte pushed"
	@echo "make bench       speed beside moto_server, in one run"
	@echo "make clean       remove the environment (.labs/, your work, stays)"

install: $(VENV)/.lab compiled

jupyterhub: $(VENV)/.hub compiled

# pip compiles what it installs. Learners who may not write here would compile ours at every start.
compiled:
	@$(BIN)/python -m compileall -q -j 0 labs_helpers
	@echo "The labs are installed in $(CURDIR)/$(VENV)."

# All that pip needs here, as wheels, for a machine like this one without internet.
wheels: $(VENV)/.made
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --only-binary :all: --dest dist/wheels -r requirements$(if $(ARGS),-$(ARGS)).lock
	@$(BIN)/python -c 'import platform, sysconfig; print(sysconfig.get_platform(), platform.python_version())' \
	  > dist/wheels/PLATFORM
	@echo "For $$(cat dist/wheels/PLATFORM): $$(ls dist/wheels/*.whl | wc -l) wheels in dist/wheels."
	@echo "There: make install WHEELS=dist/wheels"

lab: $(VENV)/.lab
	@$(BIN)/labs lab $(ARGS)

# mypy takes one core, so the tests begin beside the checks. Tests that run make are told of neither.
test: TIER := -m 'not slow and not soak and not bench'
test all-tests: $(VENV)/.dev
	@$(MAKE) --no-print-directory --jobs=2 check tests TIER="$(TIER)"

tests: $(VENV)/.dev
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(PYTEST) -p no:nbval -p no:anyio \
	  --numprocesses=$(WORKERS) --maxprocesses=4 $(TIER) $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(BIN)/python -m tests.labs.sources

# Their tests take longer than pyproject.toml allows one of `make test`.
HOURS := -o timeout=10000 -o faulthandler_timeout=11000
soak: $(VENV)/.dev
	$(PYTEST) -m soak $(HOURS) $(ARGS)

bench: $(VENV)/.dev
	$(PYTEST) -m bench -s $(HOURS) $(ARGS)

contents: $(VENV)/.dev
	$(BIN)/python -m labs_helpers.contents

notebooks: contents
	$(BIN)/python -m labs_helpers.workbook --write $(ARGS)

screenshot: $(VENV)/.dev
	$(BIN)/python -m tests.browser.screenshot docs/lab.png

# Compiled in this order so that all files name the same versions.
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --quiet \
	--no-annotate --custom-compile-command "make lock"
lock: $(VENV)/.dev
	$(COMPILE) --group build --output-file requirements.lock
	$(COMPILE) --group build --extra jupyterhub --constraints requirements.lock \
	  --output-file requirements-jupyterhub.lock
	$(COMPILE) --group build --group dev --extra jupyterhub \
	  --constraints requirements-jupyterhub.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV)

# Two stamps: a learner's environment, and what tests need on top of it.
$(VENV)/.lab: requirements.lock pyproject.toml | $(VENV)/.made
	@echo "Installing what the labs need, 700 MB on the disk ..."
	@{ $(LOUD) --require-hashes -r requirements.lock $(SAID)
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.hub: requirements-jupyterhub.lock $(VENV)/.lab
	$(PIP) --require-hashes -r requirements-jupyterhub.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.lab
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "The labs need Python 3.11 or newer; this machine's python3 is"; \
	  echo "  $$(python3 --version 2>&1 || echo 'not installed')."; \
	  echo "On Debian 12 or Ubuntu 24.04: sudo apt install python3 python3-venv"; \
	  echo "Elsewhere: install Python 3.11+ and run: make $(MAKECMDGOALS) PYTHON=/path/to/python3.x"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "PYTHON=$(PYTHON) is no Python 3.11 or newer: $$($(PYTHON) --version 2>&1)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment: its venv package is missing."; \
	  echo "On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }
	@test "$$(uname -sm)" != "Darwin x86_64" || { \
	  echo "This Mac has an Intel processor: pip builds three packages, which takes some minutes,"; \
	  echo "xcode-select --install and Rust (https://rustup.rs). This was not tried."; }
	@echo "Making the environment in $(VENV)/ (once; one to five minutes, by your line and your disk) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@
