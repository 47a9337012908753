# Two commands work on a fresh machine: `make demo` and `make test`. Before a change lands,
# `make test-all` runs every test, those of `make test` among them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TOKENIZERS_PARALLELISM = false

.PHONY: demo test test-all bench bench-save lint docs clean

demo: $(VENV)/installed
	$(BIN)/autophagy run newest_and_reserve --suite quick
	$(BIN)/autophagy report runs/quick/newest_and_reserve.json --out report
	@echo 'Open report/report.html in a browser: scores, curves, samples'

TEST := -m pytest --numprocesses auto --dist worksteal

test: $(VENV)/installed
	$(BIN)/python $(TEST) -m "not slow"

test-all: $(VENV)/installed
	$(BIN)/python $(TEST)

# Processor time of every hot path, on one thread; the machine may do other things meanwhile.
BENCH := -m pytest tests/speed --benchmark-enable --benchmark-only --benchmark-quiet \
	--benchmark-timer=time.process_time

bench: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python $(BENCH)

# The same, and makes what it measured the baseline in tests/speed/baseline.json.
bench-save: $(VENV)/installed
	SAVE_BASELINE=1 OMP_NUM_THREADS=1 $(BIN)/python $(BENCH)

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The site, into site/: a link that leads nowhere, or a page that is in no menu, is an error.
docs: export NO_MKDOCS_2_WARNING = 1
docs: $(VENV)/installed
	$(BIN)/python -m mkdocs build --strict

# Where the index gives torch with a GPU's libraries, some gigabytes more, the CPU build comes with
# PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make ...
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "autophagy-bench needs Python 3.11 or newer: make PYTHON=python3.11 demo")'
	@echo 'Installing into $(VENV): some minutes, once'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV)
