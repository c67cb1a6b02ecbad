# make demo   the whole pipeline on real code, minutes on a laptop CPU
# make test   lint, types and every test, with all optional dependencies
#
# Both share .venv: what is installed is fixed by constraints.txt, so the second target only adds to the first.
# Set PYTHON to choose the interpreter, PIP_ARGS to pass options to pip (another index, say).

PYTHON   ?= python3
PIP_ARGS ?=
VENV     := .venv
COMPILED := build/compiled
PY       := $(VENV)/bin/python
PIP      := $(PY) -m pip --disable-pip-version-check install --quiet --constraint constraints.txt $(PIP_ARGS)
STAMPS   := $(VENV)/.stamps
LEGACY   := $(VENV)/legacy
TORCH    := torch==2.13.0
SCATTER  := torch-scatter==2.1.2
# Compiled once per interpreter and torch build, kept outside the tree.
WHEELS   := $(or $(XDG_CACHE_HOME),$(and $(HOME),$(HOME)/.cache),$(CURDIR)/.cache)/graphmer-geo/wheels
JOBS     ?= 2
PYTEST   := OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(PY) -m pytest

.PHONY: help demo test lint types unit without-scatter test-legacy legacy compile test-compiled docs clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:
	@sed -n '1,5s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))
	@echo "make lint, types, unit, without-scatter, test-legacy, compile, test-compiled, docs, clean   single steps"

demo: $(STAMPS)/demo
	$(VENV)/bin/graphmer demo

test: lint types test-legacy without-scatter unit

lint: $(STAMPS)/all
	$(PY) -m ruff check .

types: $(STAMPS)/all
	$(PY) -m mypy

unit: $(STAMPS)/all
	$(PYTEST) -n $(JOBS) --dist loadscope $(PYTEST_ARGS)

# The layers once more, as a user without the extra `scatter` has them.
without-scatter: $(STAMPS)/all
	GRAPHMER_TEST_WITHOUT=torch_scatter $(PYTEST) -q -n $(JOBS) tests/nn tests/test_optional_scatter.py

# tree-sitter-languages conflicts with everything else: an environment of its own.
# Its last release is from before Python 3.13.
test-legacy: $(STAMPS)/torch
	@if $(PY) -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then $(MAKE) --no-print-directory legacy; \
	else echo "tree-sitter-languages has no wheel for this Python: not tested"; fi

legacy: $(STAMPS)/legacy
	$(LEGACY)/bin/python -m pytest -q -p no:cacheprovider --noconftest tests/legacy

# The package with its graph-building modules compiled, apart from the checkout, which stays as it is:
# PYTHONPATH=build/compiled uses it, `make clean` or removing the folder undoes it.
compile: $(COMPILED)/.stamp

$(COMPILED)/.stamp: $(STAMPS)/all hatch_build.py $(shell find graphmer_geo ontology datasets -type f -not -name '*.pyc')
	rm -rf $(COMPILED)
	GRAPHMER_GEO_COMPILE=1 $(PY) -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation \
	  --target $(COMPILED) .
	@touch $@

# Compiled code gives what interpreted code gives, and passes its tests.
test-compiled: compile
	GRAPHMER_TEST_COMPILED=$(COMPILED) $(PYTEST) -q tests/test_compiled.py
	PYTHONPATH=$(COMPILED):. $(PYTEST) -q -n $(JOBS) --override-ini pythonpath= \
	  tests/kg/languages tests/kg/resolve tests/test_results.py

docs: $(STAMPS)/all
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html

clean:
	rm -rf $(VENV) build dist docs/_build .pytest_cache .mypy_cache .ruff_cache

# ------------------------------------------------------------------ environments; a stamp is older than what it reads

$(STAMPS)/torch: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is not: use make PYTHON=python3.11 …" >&2; exit 2; }
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PIP) $(TORCH)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/demo: $(STAMPS)/torch pyproject.toml
	$(PIP) --editable '.[train,viz]'
	@touch $@

$(STAMPS)/scatter: $(STAMPS)/torch
	@set -e; key=$$($(PY) -c 'import sys; from importlib.metadata import version; \
	  print(sys.implementation.cache_tag + "-torch" + version("torch"))'); \
	dir="$(WHEELS)/$$key"; \
	if ! ls "$$dir"/torch_scatter-*.whl >/dev/null 2>&1; then \
	  echo "compiling $(SCATTER) once (about five minutes) into $$dir"; \
	  mkdir -p "$$dir"; tmp=$$(mktemp -d "$$dir/build.XXXXXX"); trap 'rm -rf "$$tmp"' EXIT; \
	  $(PIP) setuptools wheel; \
	  MAX_JOBS=$(JOBS) $(PY) -m pip --disable-pip-version-check wheel --quiet --no-build-isolation --no-deps \
	    $(PIP_ARGS) --wheel-dir "$$tmp" $(SCATTER); \
	  mv "$$tmp"/torch_scatter-*.whl "$$dir"/; \
	fi; \
	$(PIP) --no-deps "$$dir"/torch_scatter-*.whl
	@touch $@

$(STAMPS)/all: $(STAMPS)/scatter pyproject.toml
	$(PIP) --editable '.[all]'
	@touch $@ $(STAMPS)/demo

$(STAMPS)/legacy: tests/legacy/requirements.txt
	test -x $(LEGACY)/bin/python || $(PYTHON) -m venv $(LEGACY)
	$(LEGACY)/bin/python -m pip --disable-pip-version-check install --quiet $(PIP_ARGS) -r $<
	@mkdir -p $(STAMPS) && touch $@
