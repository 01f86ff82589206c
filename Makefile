# The virtual environment lives in .venv. It is made once, and again when pyproject.toml changes.
# Another interpreter: make install PYTHON=python3.13

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help install demo lint test test-slow torture

help:
	@echo "make install    make .venv and install seqjax and its test tools there"
	@echo "make demo       train a small model on built-in data and show what it can do"
	@echo "make lint       ruff check, ruff format --check, pyright"
	@echo "make test       lint, then all tests but the slow ones"
	@echo "make test-slow  the tests that take minutes"
	@echo "make torture    kill one training fifty times and compare it with an untouched one"

install: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "seqjax needs Python 3.11 or newer: make install PYTHON=python3.13"; exit 1; }
	@test -x $(BIN)/python || { echo "Making a virtual environment in .venv ..."; $(PYTHON) -m venv .venv; }
	@echo "Installing seqjax, JAX and the test tools into .venv (some minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $(READY)
	@echo "Installed. The command is $(BIN)/seqjax."

demo: $(READY)
	@echo "Training on built-in data: dates in many languages -> ISO 8601. The run is kept in runs/dates;"
	@echo "stop it with Ctrl-C and it goes on from there the next time."
	@$(BIN)/seqjax train --preset dates --run-dir runs/dates

lint: $(READY)
	@echo "Looking for slips (ruff check) ..."
	@$(BIN)/ruff check
	@echo "Looking at the layout (ruff format --check) ..."
	@$(BIN)/ruff format --check
	@echo "Checking the types (pyright) ..."
	@$(BIN)/pyright --pythonpath $(BIN)/python

# Most of the time of the tests is spent in compiling, and most of that in making fast what runs
# once. The slow tests, and a plain pytest, see the code that users run. JAX 0.12 ends at a flag that
# it does not know, and does not know the second one, so it is asked.
PLAINLY := --xla_cpu_use_fusion_emitters=false
QUICKLY = --xla_backend_optimization_level=0 $(shell \
  XLA_FLAGS=$(PLAINLY) $(BIN)/python -c 'import jax; jax.devices()' 2>/dev/null && echo $(PLAINLY))

test: lint
	@echo "Running the tests (pytest) ..."
	@XLA_FLAGS="$(QUICKLY) $$XLA_FLAGS" $(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: $(READY)
	@echo "Running the slow tests (pytest -m slow) ..."
	@$(BIN)/python -m pytest -m slow

torture: $(READY)
	@echo "Killing one training fifty times (some minutes) ..."
	@$(BIN)/python tests/torture.py --kills 50 --steps 4000 --seed 0
