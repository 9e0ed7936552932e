# Everything a person does with a clone. `make` alone tells what there is.

VENV := .venv
MESH := $(VENV)/bin/mesh
STAMP := $(VENV)/.installed
# Given on the command line: make up ARGS="--port 9000 --workers 2"
ARGS ?=
# A file's tests stay together: they share what is dear to start. More than a few at once starve.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install up demo test lint types contracts pytest soak bench load lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Install into .venv (uv when it is there, else venv and pip); instant the second time
	@:

$(STAMP): requirements/dev.txt pyproject.toml
	@sh scripts/install $(VENV)
	@touch $(STAMP)

up: $(STAMP) ## Start everything on this machine; Ctrl-C stops it
	@exec $(MESH) up $(ARGS)

demo: $(STAMP) ## Tell the whole story in about three minutes, on data of its own
	@exec $(MESH) demo $(ARGS)

test: lint types contracts pytest ## Run every check and every test

lint: $(STAMP)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

types: $(STAMP)
	$(VENV)/bin/mypy

contracts: $(STAMP)
	$(VENV)/bin/lint-imports

pytest: $(STAMP)
	$(VENV)/bin/pytest $(SIDE_BY_SIDE) $(ARGS)

soak: $(STAMP) ## Kill parts of a whole system a hundred times under load, and print what is counted
	@exec $(VENV)/bin/python -m tests.soak $(ARGS)

bench: $(STAMP) ## Measure, each figure beside its yardstick
	@exec $(VENV)/bin/python -m benchmarks $(ARGS)

load: $(STAMP) ## Drive the whole system for ten minutes and judge it (ARGS="--rate 200 --seconds 60")
	@exec $(VENV)/bin/python -m benchmarks.sustained $(ARGS)

lock: ## Choose the pinned versions anew (needs uv)
	sh scripts/lock

clean: ## Remove what was installed and cached; the data in .mesh stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
