# What a newcomer types: `make demo`, `make test`. Everything else calls `setup` by itself.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test e2e bench bench-quick bench-stages check format lint types imports names-model docs lock clean

help: ## What there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 22

setup: $(READY) ## .venv with all that running and testing need

# Made anew when a lock changes. `.ready` is last, so that a half-made environment is not taken for a whole one.
$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Spansieve needs Python 3.11 or newer, which $(PYTHON) is not: try make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: setup ## The gateway and a small LLM application, explained in the terminal; ends by itself
	$(BIN)/python -m demo

test: setup ## Unit, golden and property tests
	$(BIN)/python -m pytest tests --ignore=tests/e2e

e2e: setup ## With the real Collector, Prometheus and Tempo (Go builds them once)
	$(BIN)/python -m pytest tests/e2e -m e2e --timeout=1800

bench: setup ## Side by side with the stock Collector, Rotel and Presidio; about half an hour
	$(BIN)/python -m bench.run
	$(BIN)/python -m bench.redaction --results bench/results

bench-quick: setup ## The same in under a minute: chat and plain, beside the Collector if it is built
	$(BIN)/python -m bench.run --quick

bench-stages: setup ## CPU time by stage, in this process
	$(BIN)/python -m bench.micro

check: setup format lint types imports test ## All that a change must pass

format: setup
	$(BIN)/ruff format --check .

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

names-model: ## Train the model of names again: make names-model CORPORA=folder (about half an hour)
	$(PYTHON) -m venv .venv-names
	.venv-names/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/training.txt
	PYTHONPATH=processor:. OPENBLAS_NUM_THREADS=1 .venv-names/bin/python -m training $(CORPORA) $(if $(PRESIDIO),--presidio $(PRESIDIO)) $(if $(BRANDS),--brands $(BRANDS))

docs: setup ## All that is made from the package: reference pages, rules, dashboards, measured recall
	$(BIN)/python docs/generate.py
	$(BIN)/python -m stack.generate
	PYTHONPATH=tests:. $(BIN)/python -m accuracy.rules

lock: setup ## Renew the hash-pinned locks from pyproject.toml (needs uv)
	uv pip compile pyproject.toml -o requirements/run.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q
	uv pip compile pyproject.toml --group demo -c requirements/run.txt -o requirements/demo.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q
	uv pip compile pyproject.toml --group dev -c requirements/demo.txt -o requirements/dev.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q

clean: ## Remove what make made
	rm -rf .venv .venv-names .mypy_cache .ruff_cache .hypothesis .import_linter_cache
