# Two commands are enough: `make run` runs the lab end to end, `make test` tests it. Both install what they need.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
CLIENTS := .venv-clients/.installed
MUTANTS := .venv-mutants/.installed

.PHONY: help setup run lab test test-clients test-browser test-notebooks proofs nightly mutants bench lint fidelity on-aws pictures notebooks site lock clean

help:  ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED)  ## Install everything into .venv/

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "This lab needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Name another one: make setup PYTHON=python3.11")'
	@echo "Installing $$(grep -c '^[a-z].*==' requirements.lock) packages into .venv/ (pinned, with hashes: requirements.lock)"
	$(PYTHON) -m venv .venv
	@# The lock's own pip first: the older pip that comes with Python warns about packages that it is about to install.
	@awk '/^[a-z]/ {ours = /^pip==/} ours' requirements.lock >.venv/pip.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/pip.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip list --format=freeze --disable-pip-version-check | paste -sd' ' | fold -s -w 110
	@echo "Installed: $$(du -sh .venv | cut -f1) in .venv/"
	@touch $@

run: $(INSTALLED)  ## Run the eleven notebooks end to end on the embedded AWS
	$(BIN)/labkit up
	$(BIN)/labkit run

lab: $(INSTALLED)  ## Start the embedded AWS and open the notebooks in JupyterLab
	$(BIN)/labkit lab

test: $(INSTALLED)  ## Run the tests
	$(BIN)/python -m pytest -m "not browser and not nightly" -n 2 --no-loadscope-reorder --durations=30

test-clients: $(INSTALLED) $(CLIENTS)  ## Run Airflow, pandas, polars and others, unmodified, on the embedded AWS
	.venv-clients/bin/python -m pytest -c tests/clients/pytest.ini tests/clients --durations=10

$(CLIENTS): tests/clients/requirements.txt
	@echo "Installing $$(grep -c '^[a-z].*==' $<) packages into .venv-clients/ (pinned, with hashes: $<)"
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

test-notebooks: $(INSTALLED)  ## Run the notebooks and compare what they show with their stored outputs
	$(BIN)/python -m pytest --nbval --nbval-current-env notebooks/ -p no:cacheprovider

test-browser: $(INSTALLED)  ## Drive JupyterLab in a headless Chromium (which must be installed)
	$(BIN)/python -m pytest -m browser tests/browser

proofs: $(INSTALLED)  ## Check that the tests named in the tables of operations call what they prove
	$(BIN)/python -m tests.operation_proofs

nightly: $(INSTALLED)  ## Run what takes long: fault runs, heavy clients, proofs
	$(BIN)/python -m pytest -m nightly -n 2 --no-loadscope-reorder --durations=20
	$(BIN)/python -m tests.operation_proofs

mutants: $(MUTANTS)  ## See whether the tests notice one-line faults in the parts that decide (PART=iam SAMPLE=40)
	.venv-mutants/bin/python -m tests.mutants $(if $(PART),--part $(PART)) $(if $(SAMPLE),--sample $(SAMPLE))

$(MUTANTS): tests/mutants/requirements.txt
	@echo "Installing $$(grep -c '^[a-z].*==' $<) packages into .venv-mutants/ (pinned, with hashes: $<)"
	$(PYTHON) -m venv .venv-mutants
	.venv-mutants/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

bench: $(INSTALLED)  ## Measure, and print medians and ratios
	$(BIN)/python -m bench

lint: $(INSTALLED)  ## Check style, types, who imports whom, and that dependencies are declared
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@# The lab itself imports no package that only the extra `dev` installs.
	$(BIN)/deptry . --optional-dependencies-dev-groups dev --extend-exclude "setup.py|conftest.py|tests|docs|bench"
	@# Now with the tests: pytest finds their helper modules, deptry does not (DEP001).
	$(BIN)/deptry . --ignore DEP001

fidelity: $(INSTALLED)  ## Write docs/fidelity.md's lists from the tests that prove them
	$(BIN)/python docs/make_fidelity.py

on-aws: $(INSTALLED)  ## Record which permissions the lab needs, and write the policies in docs/on-aws.md
	$(BIN)/python docs/make_on_aws.py --record

pictures: $(INSTALLED)  ## Draw the notebooks' pictures of the pipeline into docs/images/
	$(BIN)/python docs/make_pictures.py

notebooks: pictures  ## Run the notebooks and store what they show (for who changes one)
	$(BIN)/python tests/notebooks/store.py

site: $(INSTALLED)  ## Write the executed notebooks into site/, as pages that need no network (from the last run)
	@$(BIN)/python -m labkit.tools.site || { $(BIN)/labkit up && $(BIN)/labkit run && $(BIN)/python -m labkit.tools.site; }

lock: $(INSTALLED)  ## Choose the versions of the dependencies anew (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-header --quiet --output-file requirements.lock
	uv pip compile tests/clients/requirements.in --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file tests/clients/requirements.txt
	uv pip compile tests/mutants/requirements.in --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file tests/mutants/requirements.txt

clean:  ## Remove what is installed and made; the lab's data in .labkit/ stays
	rm -rf .venv .venv-bench .venv-clients .venv-mutants .mutants build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
