# Each target sets up what it needs: a virtual environment from the hashed lock, and Delta's jars.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run test soak lint format benchmark notebooks package lock clean

help: ## Show this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml jars.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Name another with make PYTHON=..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/lakehouse setup
	@touch $@

setup: $(READY) ## Install everything into .venv and fetch Delta's jars

run: $(READY) ## Generate the default company, build every table, write the exports
	$(BIN)/lakehouse run

test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -q

soak: $(READY) ## Run the tests that take minutes: whole runs of further companies, kills and faults
	$(BIN)/python -m pytest -q -m soak

lint: $(READY) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(READY) ## Measure what docs/performance.md shows; takes a while
	$(BIN)/python -m tests.benchmarks

notebooks: $(READY) ## Open the notebooks in Jupyter
	$(BIN)/jupyter lab notebooks

package: $(READY) ## Build dist/lakehouse.zip, which spark-submit --py-files takes to a cluster
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	mv dist/lakehouse-*.whl dist/lakehouse.zip

lock: ## Compile requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --quiet -o requirements.lock

clean: ## Remove the environment, the jars and the default lake
	rm -rf $(VENV) .jars conf/spark-defaults.conf data dist exports logs
