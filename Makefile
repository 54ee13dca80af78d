# Everything a person or CI does with this repository. Needs Python 3.11 or newer, make and
# the Python package index; no container, no administrator rights.
.DEFAULT_GOAL := help
.PHONY: help demo serve test check check-format check-lint check-types check-imports \
	check-installed check-security check-secrets check-dependencies \
	format bench mutation install hooks lock authorisation screenshot clean

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
COVERAGE := $(BIN)/coverage
PACKAGES := packages/knowledge-base
WORKERS ?= 2
MINIMUM_COVERAGE := 85
FULLY_COVERED := src/fairdatabase/privacy/engine/* src/fairdatabase/accounts/* src/fairdatabase/audit/* src/fairdatabase/authorization/* src/fairdatabase/mail/* src/fairdatabase/kernel/errors.py
# A development environment serves the demo as well; only a bare clone gets the smaller one.
RUNTIME = $(if $(wildcard $(VENV)/.dev),$(VENV)/.dev,$(VENV)/.demo)

# uv follows an activated environment unless told which one is meant.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
# Tests start many processes; compiling every import anew would double the time they take.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME) ## Fill an instance with real data, start it and print its address
	@$(BIN)/fairdatabase demo

serve: $(RUNTIME) ## Serve the instance in ./instance
	@$(BIN)/fairdatabase serve

test: $(VENV)/.dev ## Run every test on SQLite and PostgreSQL, and hold the coverage thresholds
	@rm -f .coverage .coverage.*
	PYTHONHASHSEED=0 $(BIN)/pytest -n $(WORKERS) --cov --cov-report=
	$(COVERAGE) report --fail-under=$(MINIMUM_COVERAGE)
	@set -e; for part in $(foreach part,$(FULLY_COVERED),'$(part)'); do \
		echo "Lines and branches of $$part, all of them:"; \
		$(COVERAGE) report --include="$$part" --fail-under=100; done

check: check-format check-lint check-types check-imports check-installed check-security \
	check-secrets check-dependencies
check: ## Check format, lint, types, imports, versions, security, secrets and dependencies

check-format: $(VENV)/.dev
	$(BIN)/ruff format --check .

check-lint: $(VENV)/.dev
	$(BIN)/ruff check .

check-types: $(VENV)/.dev
	$(BIN)/mypy

check-imports: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo

check-installed: $(VENV)/.dev
	$(UV) pip check

check-security: $(VENV)/.dev
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src $(PACKAGES:%=%/src)

# The hook brings the line numbers of its baseline up to date (3); here only what is new matters.
check-secrets: $(VENV)/.dev
	@set -e; known=$$(mktemp); said=$$(mktemp); trap 'rm -f "$$known" "$$said"' EXIT; \
	cp .secrets.baseline "$$known"; \
	DETECT_SECRETS_SECURITY_TEAM='the maintainers (SECURITY.md)' \
	$(BIN)/detect-secrets-hook --no-verify --baseline "$$known" $$(git ls-files) >"$$said" \
		|| test $$? -eq 3 || { cat "$$said"; exit 1; }; \
	echo "No secrets in $$(git ls-files | wc -l) files"

check-dependencies: $(VENV)/.dev
	$(BIN)/python requirements/audit.py

format: $(VENV)/.dev ## Format the code and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

mutation: $(VENV)/.dev ## Mutate the privacy engine; which mutants does no test notice? (hours; ENGINE=measures)
	PYTHONPATH=. nice -n 19 $(BIN)/mutmut run --max-children 1 'fairdatabase.privacy.engine.$(or $(ENGINE),*)*'
	@$(BIN)/mutmut results

bench: $(VENV)/.dev ## Measure, and print ratios against a baseline on the same machine
	$(BIN)/python -m benchmarks

install: $(VENV)/.dev ## Install everything a developer needs into .venv

hooks: $(VENV)/.dev ## Run the checks before every commit from now on
	$(BIN)/pre-commit install

authorisation: $(VENV)/.dev ## Write the reference page of who may do what anew
	$(BIN)/python -m docs.reference.authorisation

screenshot: $(VENV)/.dev ## Take the picture in the README anew (needs Chromium)
	$(BIN)/python -m docs.images.screenshot

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url $(patsubst packages/%,--no-emit-package %,$(PACKAGES)) \
	--custom-compile-command "make lock" $(UPGRADE)

lock: $(VENV)/.bootstrap ## Resolve pyproject.toml into requirements/ (UPGRADE=--upgrade for newer versions)
	$(COMPILE) pyproject.toml $(PACKAGES:%=%/pyproject.toml) --extra demo --extra vectors --group dev --group build -o requirements/dev.lock
	$(COMPILE) pyproject.toml --extra demo --group build -c requirements/dev.lock -o requirements/demo.lock
	$(COMPILE) pyproject.toml -c requirements/dev.lock -o requirements/base.lock
	$(COMPILE) --group build -c requirements/dev.lock -o requirements/bootstrap.lock

clean: ## Remove the environment, caches and reports; the instance stays
	rm -rf $(VENV) build dist htmlcov test-results .coverage .coverage.* \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- The environment: each stamp is renewed when what it was made from changes ---------------

$(VENV)/.bootstrap: requirements/bootstrap.lock
	@set -e; found=; \
	for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then found=$$python; break; fi; done; \
	if [ -z "$$found" ]; then \
		echo "Python 3.11 or newer is needed: install it, or name it: make PYTHON=/path/to/python3" >&2; \
		exit 1; fi; \
	$$found -m venv $(VENV) || { \
		echo "$$found cannot make virtual environments (Debian and Ubuntu: apt install python3-venv)" >&2; \
		exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

define sync
@$(UV) pip sync --quiet --compile-bytecode --require-hashes $<
@$(UV) pip install --quiet --no-deps --no-build-isolation $(addprefix --editable ,. $(PACKAGES))
@touch $@
endef

$(VENV)/.demo: requirements/demo.lock pyproject.toml $(PACKAGES:%=%/pyproject.toml) $(VENV)/.bootstrap
	@echo "Installing what the demo needs into $(VENV) (once) ..."
	$(call sync)

$(VENV)/.dev: requirements/dev.lock pyproject.toml $(PACKAGES:%=%/pyproject.toml) $(VENV)/.bootstrap
	@echo "Installing what development needs into $(VENV) (once) ..."
	$(call sync)
