# Everything starts here. Needs Python 3.11+ and make, nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check lint types install format docs bench clean

# The whole system on embedded defaults, with a demo project to watch: http://127.0.0.1:8080
run: install
	$(BIN)/playhead demo

# .venv with everything that the program needs
install: .venv/run.stamp

# All tests; they bring up Postgres, Redis and S3 servers by themselves
test: .venv/test.stamp
	$(BIN)/pytest $(PYTEST_ARGS)

# What CI runs
check: lint types test

lint: .venv/test.stamp
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/python -m tools.render_docs --check

types: .venv/test.stamp
	$(BIN)/mypy .

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

clean:
	rm -rf .venv build *.egg-info
