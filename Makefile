# make run   sets up .venv and runs the main job on its embedded default: a plan compared with
#            the place as it is
# make test  sets up .venv and passes the tests
# On Windows, or without make: see README.md for the same lines.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test quick coverage lint site gallery docs lessons bench clean

run: $(VENV)/ready
	$(BIN)/python run_batch.py

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n auto

# A minute on two processors: all but the slow ones.
quick: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n auto -m "not slow"

# Costs half as much processor time again, so by hand.
coverage: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n auto --cov --cov-report=term:skip-covered

lint: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

# Every page, strictly: a link that leads nowhere ends it. build/site/index.html is the first page.
site: $(VENV)/ready-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# A minute on two processors; needs Chromium, LibreOffice and Poppler.
gallery: $(VENV)/ready-dev
	$(BIN)/python docs/site/gallery.py

# Nine pages live through whole worlds, so by hand, after a change of the model: upstream baseline > docs/baseline.md,
# upstream patterns > docs/patterns.md, upstream replay > docs/trials.md, upstream money > docs/money.md, upstream shocks >
# docs/shocks.md, upstream structure > docs/structure.md, upstream replicate --figure docs/evidence > docs/evidence.md,
# upstream calibrate --ensemble 200 --out DIR (ensemble.md and ensemble.csv), upstream predicted --places FILE --areas FILE
# --csv docs/places_predicted.csv > docs/places_predicted.md.
docs: $(VENV)/ready
	$(BIN)/python -m model.reporting.pages.reference

# Runs the notebooks in place, so that what they show is what the model now says: some ten minutes.
lessons: $(VENV)/ready-dev
	$(BIN)/python notebooks/execute.py

bench: $(VENV)/ready
	$(BIN)/python benchmarks/run.py

$(VENV)/made:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "Python 3.11 or newer is needed: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c "import venv, ensurepip" 2>/dev/null || \
	  { echo "Python's venv is missing. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/ready: pyproject.toml constraints.txt | $(VENV)/made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/ready-dev: pyproject.toml constraints.txt | $(VENV)/made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/ready

clean:
	rm -rf $(VENV)
