# make run    open the window on the bundled sample (makes .venv first)
# make test   everything that CI checks: suite, import contracts, ruff, mypy
# make help   the rest

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An index address for torch alone, as pytorch.org's "Get started" prints it; empty: wherever pip is pointed to.
TORCH_INDEX ?=
# What the window opens: empty, what was open last time; the first time, the sample.
DATA ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test test-fast test-slow lint format bench demo install system clean help

run: $(VENV)/.ready system
	$(BIN)/python main.py $(DATA)

# Two processes of one thread each: the suite's tensors are small, and threads that spin while they wait for each other
# make it many times slower on a machine that has anything else to do.
test: $(VENV)/.ready system lint
	OMP_NUM_THREADS=1 QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 2

test-fast: $(VENV)/.ready
	OMP_NUM_THREADS=1 QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -x -q

test-slow: $(VENV)/.ready system
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m slow

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.ready
	$(BIN)/python -m tests.benchmarks $(BENCH)

demo: $(VENV)/.ready system
	$(BIN)/python main.py --demo demo-pictures

install: $(VENV)/.ready

# Looks for the libraries that Qt's wheel expects from the system; installs them as root, else prints the command.
system: $(VENV)/.ready
	$(BIN)/python -m workbench.system_libraries --install

# The C files are optional: installing compiles them where there is a C compiler.
$(VENV)/.ready: requirements.lock pyproject.toml $(wildcard engine/modules/kernels/*.[ch])
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(grep '^torch==' requirements.lock)"
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

help:
	@sed -n 's/^# make/make/p' Makefile
	@echo "make test-slow   the slow tests;  make bench   the benchmarks;  make demo   a picture of every page, without a display"
