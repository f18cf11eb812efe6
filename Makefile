# Needs Python 3.11 or newer, make and git. Everything else is installed in .venv and github_standin/node_modules.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Reports its progress every few seconds.
INSTALL := $(BIN)/python -m tools.install
# Tests that compare dates of the database, of the stand-in for GitHub and of the product's clock.
DATED_TESTS := $(addprefix tests/storage/,test_clock.py test_billing.py) tests/demo/test_scenario.py tests/commands/sprint/test_status.py \
	$(addprefix tests/bot/jobs/,test_sprint_reports.py test_periodic.py test_closed_sprints.py) tests/bot/sync/test_redelivery.py \
	$(addprefix tests/bot/billing/,test_stripe.py test_marketplace.py test_usage.py test_seats.py test_deletion.py)
# Tests that could fail one day ahead, but not 400 days ahead.
DATED_TESTS_OF_A_DAY := tests/storage/test_clock.py tests/demo/test_scenario.py tests/bot/jobs/test_periodic.py

.PHONY: help setup demo test test-later lint format docs bench lock clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST)

setup: .venv/.dev .venv/.peers-dev ## Prepare .venv and everything the tests use

demo: .venv/.demo .venv/.peers ## Start a sprint to try on a local page
	@$(BIN)/python -m bot demo

test: setup ## Run all tests
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal

# Under faketime a job hangs in about one of 300 tests on a busy machine, and never without it. Therefore failed
# tests run once more, by themselves.
LATER := PERIODIC_JOBS=on faketime -f
AGAIN := --last-failed --last-failed-no-failures none

test-later: setup ## Run part of the tests with the machine's clock 1 day and 400 days ahead (needs faketime)
	$(LATER) "+400d" $(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(DATED_TESTS) || \
		$(LATER) "+400d" $(BIN)/python -m pytest $(AGAIN) $(DATED_TESTS)
	$(LATER) "+1d" $(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(DATED_TESTS_OF_A_DAY) || \
		$(LATER) "+1d" $(BIN)/python -m pytest $(AGAIN) $(DATED_TESTS_OF_A_DAY)

lint: setup ## Check style, names and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_language.py

format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup ## Regenerate the generated pages
	$(BIN)/python -m bot docs

bench: setup ## Run the benchmarks, one after another (takes several minutes)
	for script in door events answer chart growth; do $(BIN)/python -m benchmarks.$$script || exit 1; done

# The largest list is locked first and constrains the others, so that all have the same versions.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

lock: .venv/.dev ## Update the pinned dependencies
	$(COMPILE) --extra dev pyproject.toml -o requirements-dev.txt
	$(COMPILE) --extra demo -c requirements-dev.txt pyproject.toml -o requirements-demo.txt
	$(COMPILE) --extra bundled -c requirements-dev.txt pyproject.toml -o requirements-bundled.txt
	$(COMPILE) -c requirements-dev.txt pyproject.toml -o requirements.txt
	echo uv | $(COMPILE) -c requirements-dev.txt - -o requirements-installer.txt

clean: ## Remove everything that setup installed; the data in .data stays
	rm -rf .venv github_standin/node_modules

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/it"; exit 1; }
	@$(PYTHON) -m tools.install venv

.venv/.demo: requirements-demo.txt requirements-installer.txt | .venv/bin/python
	@$(INSTALL) packages requirements-demo.txt
	@touch $@

.venv/.dev: requirements-dev.txt requirements-installer.txt | .venv/bin/python
	@$(INSTALL) packages requirements-dev.txt
	@touch $@ .venv/.demo

# Node.js and npm come from a Python package, so that the machine needs neither.
.venv/.peers: github_standin/package-lock.json .venv/.demo
	@test -e .venv/.peers-dev || $(INSTALL) npm github_standin --omit=dev
	@touch $@

.venv/.peers-dev: github_standin/package-lock.json .venv/.dev
	@$(INSTALL) npm github_standin
	@touch $@ .venv/.peers
