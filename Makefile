# The words of the project. Every target sets up what it needs; nothing is set up twice.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 1
BACKBONE ?= builtin:wenhuo-mini
CRON ?=
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export DO_NOT_TRACK := true
# uv reads none of pip's settings; a folder of wheels is worth keeping.
export UV_FIND_LINKS := $(PIP_FIND_LINKS)

.PHONY: help setup run repro summary ui test test-all bench bench-backbone check format lock deploy deploy-status deploy-stop clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# The stamp is newer than what it was made from; a second `make run` looks at two times and goes on.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "error: Python 3.11, 3.12 or 3.13 is needed"; echo "  → make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -qq --disable-pip-version-check 'uv>=0.8'
	@echo "setting up $(VENV): a few minutes, once"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraints constraints.txt --editable . --group dev
	@test -d .dvc || $(BIN)/dvc init --quiet
	@touch $@

setup: $(VENV)/.ready  ## make .venv and install everything at the versions of constraints.txt

run: setup  ## the main job: run the graph as a Prefect flow, and say what came out (JOBS=2 runs stages side by side)
	@python -m flows.retrain --if-changed --jobs $(JOBS)
	@wenhuo summary

repro: setup  ## the same by DVC alone
	@dvc repro
	@wenhuo summary

summary: setup  ## say again what the last run made
	@wenhuo summary

ui: setup  ## browse runs, curves and the registry in MLflow, on 127.0.0.1:5000
	@wenhuo ui

test: setup  ## the tests that take seconds each
	@python -m pytest -m "not slow" -n 2 --dist loadfile

test-all: setup  ## the slow tests: whole graphs, killed processes, servers, a browser
	@python -m pytest -m slow -n 2 --dist loadfile --timeout 900

bench: setup  ## measure what the README claims, beside what one would otherwise pick (an hour; results in benchmarks/)
	@python -m benchmarks.near_duplicates
	@python -m benchmarks.wrong_labels
	@python -m benchmarks.size
	@python -m benchmarks.training_speed
	@python -m benchmarks.pretraining

bench-backbone: setup  ## measure the small backbone with all labels and with few, beside its peers (BACKBONE=another folder; hours)
	@python -m benchmarks.backbone $(BACKBONE)

check: setup  ## formatting, lint, types, and the two graph files
	@ruff format --check .
	@ruff check .
	@mypy
	@python -m flows.lint
	@python -m tasks --check

format: setup  ## format the code and mend what can be mended
	@ruff format .
	@ruff check --fix .

lock: setup  ## write constraints.txt anew (without torch and what only its CUDA builds need, so that all may share it)
	@uv pip compile --quiet --universal --upgrade --python-version 3.11 --no-annotate --no-header --group dev pyproject.toml \
	  | grep -vE '^(torch|triton|nvidia-|cuda-)' > constraints.new && mv constraints.new constraints.txt

deploy: setup  ## start a local Prefect server, pool, worker and the scheduled deployment (CRON="* * * * *" to try it)
	@python -m flows.deploy start $(if $(CRON),--cron "$(CRON)")

deploy-status: setup  ## what of it is running
	@python -m flows.deploy status

deploy-stop: setup  ## end just those
	@python -m flows.deploy stop

clean:  ## delete the environment and tool caches; data, models, reports and runs stay
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
