# Deskbell's front door. It needs make and Python ≥ 3.11; everything else goes into .tools and .venv.
# `make serve ARGS="--port 8080"` and `make test ARGS="-k reply"` pass ARGS on;
# `make PYTHON=/path/to/python3 ...` installs for another Python than the one that is found.

.DEFAULT_GOAL := help

BIN := .venv/bin
RUN := .venv/.for-run
DEV := .venv/.for-dev
FETCHED := hatch_build.py package-lock.json deskbell/web/static/icons.txt

##@ Use

.PHONY: serve
serve: $(RUN) ## start Deskbell on http://127.0.0.1:8000; Ctrl-C stops it, the data are kept
	@exec $(BIN)/deskbell serve $(ARGS)

##@ Test

.PHONY: test
test: $(DEV) ## run the linters, the types, the import contracts and all tests
	@DESKBELL_TEST_CHROMIUM=$$(tools/chromium.sh) && export DESKBELL_TEST_CHROMIUM && \
		DESKBELL_TEST_DOVECOT=$$(tools/dovecot.sh) && export DESKBELL_TEST_DOVECOT && \
		exec $(BIN)/python -m tools.check lint types tests -- $(ARGS)

.PHONY: test-pg15
test-pg15: $(DEV) ## run all tests on the system's PostgreSQL 15 instead of the embedded 18
	@DESKBELL_POSTGRES_BIN_DIR=$$(tools/postgresql15.sh) && export DESKBELL_POSTGRES_BIN_DIR && \
		DESKBELL_TEST_CHROMIUM=$$(tools/chromium.sh) && export DESKBELL_TEST_CHROMIUM && \
		DESKBELL_TEST_DOVECOT=$$(tools/dovecot.sh) && export DESKBELL_TEST_DOVECOT && \
		exec $(BIN)/python -m tools.check tests -- $(ARGS)

.PHONY: check
check: $(DEV) ## everything but the tests: linters, types, import contracts
	@exec $(BIN)/python -m tools.check lint types

.PHONY: bench
bench: $(DEV) ## measure, and compare with the floors
	@exec $(BIN)/python -m bench $(ARGS)

##@ Write

.PHONY: lint
lint: $(DEV) ## the linters alone
	@exec $(BIN)/python -m tools.check lint

.PHONY: format
format: $(DEV) ## put the code into its form
	@$(BIN)/ruff check --quiet --fix-only && $(BIN)/ruff format

.PHONY: messages
messages: $(DEV) ## collect the texts of the pages into the catalogs of the languages
	@$(BIN)/python -m tools.messages

.PHONY: clean
clean: ## remove what was installed and cached here; the data are elsewhere and stay
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis dist test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What is installed is as old as these marks: nothing is done again until one of the files changes.

$(RUN): pyproject.toml uv.lock tools/install.sh $(FETCHED)
	@tools/install.sh run

$(DEV): pyproject.toml uv.lock tools/install.sh $(FETCHED)
	@tools/install.sh dev
