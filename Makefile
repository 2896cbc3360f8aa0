# make run ARGS="--port 9000"   the server, on a bare checkout too
# make test ARGS="-k chat -x"   the tests, warnings are errors; with a debugger: ARGS="-n 0 --pdb"

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
ARGS ?=
# Processes that share the tests: one more than the cores of a small machine, since tests also wait.
WORKERS ?= 3

.PHONY: setup run test lint bench chromium
.DELETE_ON_ERROR:

setup: $(VENV)/.stamp-dev

run: $(VENV)/.stamp-run
	$(BIN)/python server.py $(ARGS)

test: $(VENV)/.stamp-test chromium
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

lint: $(VENV)/.stamp-dev
	$(BIN)/python -m ruff check .

bench: $(VENV)/.stamp-test
	$(BIN)/python -m bench $(ARGS)

$(VENV)/.stamp-run: EXTRA :=
$(VENV)/.stamp-test: EXTRA := [test]
$(VENV)/.stamp-dev: EXTRA := [dev]

# Built with the setuptools that constraints.txt pins, hence no build isolation.
$(VENV)/.stamp-%: setup.cfg constraints.txt | $(BIN)/python
	@$(PIP) setuptools wheel
	@$(PIP) --no-build-isolation --editable '.$(EXTRA)'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Taskroom needs Python 3.11 or newer; name one with: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null || \
	  { rm -rf $(VENV); echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }

# The browser tests need it. Without it they are skipped, or fail where CI=true.
chromium:
	@command -v chromium >/dev/null || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/dev/null 2>&1 || \
	  echo "no chromium, and it could not be installed: the browser tests cannot run"
