# Everything a reader of the README types. Only Python >= 3.11 and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
WORKERS ?= 2

.PHONY: fit site site-all test test-fast test-float32 test-slow examples notebooks proofs lint types compat mutants peers gpu-compiler gpu-check clean

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.fit: pyproject.toml $(VENV)/.made
	$(PIP) install -e '.[plot]'
	touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.made
	$(PIP) install -e '.[dev]'
	touch $@ $(VENV)/.fit

fit: $(VENV)/.fit
	$(BIN)/python -m fitting

$(VENV)/.docs: pyproject.toml $(VENV)/.made
	$(PIP) install -e '.[docs]'
	touch $@

# The documentation site, in .site/html; `.ci/site` runs the notebooks for it too.
site: $(VENV)/.docs
	$(BIN)/python docs/make_site.py --figures

site-all: $(VENV)/.docs
	.ci/site

# Neighbours in a file go to one worker, which so compiles what they share once; one that is done takes from the other.
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist=worksteal
# The files that hold a test of that mark: a worker reads no other.
holding = $$(grep -rl --include='test_*.py' 'mark\.$(1)' tests)

test: $(VENV)/.dev
	@.ci/timed-parts fast:test-fast float32:test-float32 slow:test-slow

test-fast: $(VENV)/.dev
	JAXNEURO_TEST_QUICK_COMPILE=2 $(PYTEST) -m 'not slow and not example and not proof and not gpu'

test-float32: $(VENV)/.dev
	JAXNEURO_TEST_X64=0 JAXNEURO_TEST_QUICK_COMPILE=2 $(PYTEST) -m 'float32 and not bits and not proof and not gpu' $(call holding,float32)
	JAXNEURO_TEST_X64=0 $(PYTEST) -m 'float32 and bits and not proof and not gpu' $(call holding,bits)

test-slow: $(VENV)/.dev
	JAXNEURO_TEST_QUICK_COMPILE=1 $(PYTEST) -m 'slow and not notebook and not proof and not gpu' $(call holding,slow)

# Of docstrings, of the README and of the pages in docs, and the studies. .ci/run does so after `make test`.
examples: $(VENV)/.dev
	JAXNEURO_TEST_QUICK_COMPILE=2 $(PYTEST) -m 'example and not slow and not proof and not gpu' $(call holding,example)

# In their small size; .ci/run does so after `make test`.
notebooks: $(VENV)/.dev
	$(PYTEST) -m 'notebook and not proof and not gpu' $(call holding,notebook)

proofs: $(VENV)/.dev
	$(PYTEST) -m 'proof and not gpu' $(call holding,proof)
	JAXNEURO_TEST_X64=0 $(PYTEST) -m 'proof and float32 and not gpu' $(call holding,proof)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/pyright

# On the oldest and on the newest Python and packages that are allowed; docs/testing.md.
compat:
	@.ci/compat

# Small changes of the code that the fast tests have to see: hours on one core; docs/mutants.md.
mutants: $(VENV)/.dev
	nice -n 19 $(BIN)/python tests/mutants/run.py

peers:
	$(PYTHON) -m benchmarks.peers

# What compiles programs for a GPU without one, 5.5 GB; for `python -m benchmarks gpu_programs`.
gpu-compiler:
	$(PYTHON) -m benchmarks.peers gpu

# On a machine with a GPU, in at most 8 minutes, with that machine's own Python; installs nothing.
gpu-check:
	@XLA_PYTHON_CLIENT_PREALLOCATE=false $(PYTHON) -m benchmarks.gpu_check

clean:
	rm -rf $(VENV) .site .peers .compat .pytest_cache
