# Two commands matter: `make run` and `make test`. Each makes its own environment in .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEWEST :=
PARALLEL := -n auto --maxprocesses 4 --dist worksteal
SPOTTER := examples/keyword_spotter

.DEFAULT_GOAL := help
.PHONY: help run test test-newest test-optimised test-docker system-parts fast lint format docs site bench sanitize mutants constraints release test-release clean

help:
	@echo "make run             compile, simulate and measure LOOPBACK and the keyword spotter of $(SPOTTER)"
	@echo "make test            every check and test (the first time it installs torch and fmot into $(VENV), 1.5 GB)"
	@echo "make fast            the checks and the fast tests, 1 to 2 minutes"
	@echo "make test-newest     make test on the newest release of everything but torch, in $(VENV)-newest"
	@echo "make test-optimised  every test under python -O"
	@echo "make test-docker     tests of the femtocrux backend with real containers (needs ../shared/tools, and root)"
	@echo "make lint            the checks alone: ruff format, ruff check, mypy"
	@echo "make format          rewrite the code as ruff would have it"
	@echo "make docs            rewrite what docs/ says about the code: instructions, operators, options, tables, drawing"
	@echo "make site            the documentation as a site, in build/site, strictly: no broken link or anchor"
	@echo "make bench           measure start-up times, see benchmarks/"
	@echo "make mutants         do the tests notice a wrong line? ROOM=machine/memory.py or ROOM=program/femto COUNT=40"
	@echo "make sanitize        the corpus and all tests of the native loop with the sanitizers of g++ (a part: make test)"
	@echo "make constraints     renew the constraints files, the exact versions that all of these install"
	@echo "make release         build source archive, wheels, bill of materials and checksums into dist/, twice, and compare"
	@echo "make test-release    the same, then install both wheels for Python 3.10 to 3.13 and run them (docs/releasing.md)"
	@echo "make clean           remove the environments and everything that tools and runs left behind"
	@echo
	@echo "PYTHON=...           the Python to start from, 3.10 or newer (now: $(PYTHON))"

run: $(VENV)/run.stamp
	$(BIN)/femtodrive LOOPBACK --runners fqir,fmir,fasmir
	$(BIN)/femtodrive $(SPOTTER)/keyword_spotter.pt --runners fqir,fmir,fasmir \
		--input-file $(SPOTTER)/words.npz --input-period 0.016

test: lint system-parts
	$(BIN)/pytest $(PARALLEL)
	$(BIN)/python tools/sanitize.py --short

# A container engine of its own for these tests, and an image built for them: see tests/femtocrux/conftest.py.
test-docker: $(VENV)/test.stamp
	FEMTODRIVER_CONTAINERS=1 $(BIN)/pytest tests/femtocrux

# Python drops asserts under -O: nothing of ours may depend on one.
test-optimised: $(VENV)/test.stamp
	PYTHONOPTIMIZE=1 $(BIN)/pytest $(PARALLEL)

test-newest:
	rm -f $(VENV)-newest/*.stamp
	$(MAKE) test VENV=$(VENV)-newest NEWEST=--newest

# Some tests need a server, a browser, synthesizers or recordings from the system's packages. On a CI machine they are
# installed, one by one, so that one which is not to be had stops no other; elsewhere those tests say what is missing.
SYSTEM_PARTS := redis-server chromium espeak-ng flite asterisk-core-sounds-en-wav codec2-examples
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq
system-parts:
	@if [ "$$CI" = true ] && ! dpkg -s $(SYSTEM_PARTS) >/dev/null 2>&1; then \
		echo "installing $(SYSTEM_PARTS) from the system's packages"; \
		$(APT) update >/dev/null 2>&1; \
		for part in $(SYSTEM_PARTS); do \
			dpkg -s $$part >/dev/null 2>&1 || $(APT) install -y --no-install-recommends $$part >/dev/null 2>&1 \
				|| echo "$$part could not be installed; the tests that need it will be skipped"; done; fi

fast: lint
	$(BIN)/pytest $(PARALLEL) -m "not slow"

lint: $(VENV)/test.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/test.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/test.stamp
	$(BIN)/python tools/update_options.py
	$(BIN)/python tools/operators_doc.py docs/operators.md
	$(BIN)/python tools/compiler_doc.py docs/compiler.md
	$(BIN)/python tools/devices_doc.py
	$(BIN)/python tools/energy_doc.py
	$(BIN)/python tools/compatibility_doc.py
	$(BIN)/python tools/draw_rooms.py
	$(BIN)/python tools/readme_output.py
	$(BIN)/python tools/run_notebook.py
	$(BIN)/python -m femtodriver.isa.doc docs/isa.md
	$(BIN)/python -m femtodriver.isa.export docs/isa.json

site: $(VENV)/test.stamp
	$(BIN)/python tools/build_site.py build/site

bench: $(VENV)/run.stamp
	$(BIN)/python benchmarks/startup.py

ROOM := machine
COUNT := 40
sanitize: $(VENV)/test.stamp
	$(BIN)/python tools/sanitize.py

mutants: $(VENV)/test.stamp
	$(BIN)/python tools/mutants.py $(ROOM) --count $(COUNT)

# The same files for all Pythons and systems that we support. Read the diff, run `make test`, and commit it.
COMPILE = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --annotation-style line \
	--custom-compile-command "make constraints"
constraints: $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade uv
	$(COMPILE) --all-extras --group install --group release --output-file constraints.txt pyproject.toml
	$(COMPILE) --group pyproject.toml:build --output-file constraints-build.txt

release: $(VENV)/release.stamp
	$(BIN)/python tools/build_release.py dist

test-release: release
	$(BIN)/python tools/check_release.py dist

clean:
	rm -rf $(VENV) $(VENV)-newest build dist model_datas .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment is made again when pyproject.toml, a constraints file or the native loop changes. Installs are editable:
# changes of Python sources count at once.
$(VENV)/run.stamp: pyproject.toml constraints.txt constraints-build.txt hatch_build.py $(wildcard src/femtodriver/native/*.?pp)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "PYTHON must be Python 3.10 or newer, not $$($(PYTHON) --version 2>&1); try make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) tools/environment.py $(VENV) run $(NEWEST)
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	@$(PYTHON) tools/environment.py $(VENV) test $(NEWEST)
	@touch $@

$(VENV)/release.stamp: $(VENV)/run.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group release
	@touch $@
