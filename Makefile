# Everything starts here. Needs Python 3.11+ and make, nothing else.
PYTHON ?= python3
BIN := .venv/bin
# test files side by side, more than there are processors, in their order, so that those which mostly wait for servers
# have others beside them that compute
TEST_PROCESSES ?= 3
NODE := $(BIN)/node

.PHONY: run test test-js faults soak check lint types install format docs bench clean

# The whole system on embedded defaults, with a demo project to watch: http://127.0.0.1:8080
run: install
	$(BIN)/playhead demo

# .venv with everything that the program needs
install: .venv/run.stamp

# All tests; they bring up Postgres, Redis and S3 servers by themselves, and find Chromium for those of the player
test: test-js .venv/test.stamp
	$(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# The player's pure parts
test-js: node_modules/.stamp
	$(NODE) --test "tests/player/**/*.test.js"

# Real processes, what they stand on taken away, a judge. FAULTS=long: a hundred kills, outages of ten minutes.
# The same again: TOWN_SEED=…
faults: .venv/test.stamp
	FAULTS=$(FAULTS) $(BIN)/pytest tests/faults -rP $(PYTEST_ARGS)

# Load and faults at random for HOURS; prints the slope of memory and files, waiting times by hour, the verdict
soak: .venv/test.stamp
	$(BIN)/python -m tests.faults.soak $(if $(HOURS),--hours $(HOURS)) $(if $(TOWN_SEED),--seed $(TOWN_SEED))

# What CI runs
check: lint types test

lint: .venv/test.stamp node_modules/.stamp
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/python -m tools.render_docs --check
	$(BIN)/python -m tools.vendor_player --check

types: .venv/test.stamp node_modules/.stamp
	$(BIN)/mypy .
	$(NODE) node_modules/typescript/bin/tsc --project .
	$(NODE) node_modules/typescript/bin/tsc --project tests/player

format: .venv/test.stamp
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

# Reference pages that are rendered from code
docs: .venv/test.stamp
	$(BIN)/python -m tools.render_docs

bench: .venv/test.stamp
	$(BIN)/python -m benchmarks

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/run.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.stamp: requirements/test.lock .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.lock
	@touch $@

# What checks the player; it runs without
node_modules/.stamp: package.json package-lock.json .npmrc .venv/test.stamp
	NODE_USE_SYSTEM_CA=1 $(BIN)/npm ci --loglevel=error
	@touch $@

clean:
	rm -rf .venv node_modules build *.egg-info
