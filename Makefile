# Two commands matter: `make run` and `make test`. Each makes its own environment in .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SPOTTER := examples/keyword_spotter

.DEFAULT_GOAL := help
.PHONY: help run test redis fast lint format bench clean

help:
	@echo "make run     compile, simulate and measure LOOPBACK and the keyword spotter of $(SPOTTER)"
	@echo "make test    every check and test (installs torch and fmot on first use, .venv grows to 1.5 GB)"
	@echo "make fast    the checks and the fast tests"
	@echo "make lint    the checks alone: ruff format, ruff check, mypy"
	@echo "make format  rewrite the code as ruff would have it"
	@echo "make bench   start-up times, see benchmarks/"
	@echo "make clean   remove .venv and everything that tools and runs left behind"
	@echo "PYTHON=...   the Python to start from, 3.10 or newer (now: $(PYTHON))"

run: $(VENV)/run.stamp
	$(BIN)/femtodrive LOOPBACK --runners fqir,fmir,fasmir
	$(BIN)/femtodrive $(SPOTTER)/keyword_spotter.pt --runners fqir,fmir,fasmir \
		--input-file $(SPOTTER)/words.npz --input-period 0.016

test: lint redis
	$(BIN)/pytest

# Some tests talk to a real redis-server. On a CI machine it is installed; elsewhere those tests say that it is missing.
redis:
	@if [ "$$CI" = true ] && ! command -v redis-server >/dev/null; then \
		(apt-get update -qq && apt-get install -y -qq redis-server) >/dev/null 2>&1 \
			|| echo "redis-server could not be installed; the tests that need it will be skipped"; fi

fast: lint
	$(BIN)/pytest -m "not slow"

lint: $(VENV)/test.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/test.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/run.stamp
	$(BIN)/python benchmarks/startup.py

clean:
	rm -rf $(VENV) build dist model_datas .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is made again only when pyproject.toml changes. Installs are editable: source changes count at once.
$(VENV)/run.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "PYTHON must be Python 3.10 or newer, not $$($(PYTHON) --version 2>&1); try make PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --editable .
	@touch $@

# One pip call resolves torch's pin together with fmot: fmot alone would bring the newest torch.
$(VENV)/test.stamp: pyproject.toml $(VENV)/run.stamp
	$(PIP) install --quiet --editable '.[test]'
	@touch $@
