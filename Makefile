# `make help` lists the targets. Everything runs from the virtual environment $(VENV).

PYTHON ?= python3
VENV ?= .venv
BIND ?= 127.0.0.1
PORT ?= 8000
ONCE ?=
HTTP_PORT ?=
MINUTES ?= 10
QUICK ?=
FOLDER ?= bench-results

BIN := $(VENV)/bin
PY := $(BIN)/python
TYPED := $(wildcard pushprovider upconfig tests bench)
PYTEST_ARGS ?=
AUDIT_ARGS ?=
# Not in requirements-dev.txt: what it brings along would meet what is audited.
PIP_AUDIT := 2.10.1
# Plays mostly wait for real servers, so some run side by side.
WORKERS ?= 3
PYTEST = $(PY) -m pytest -n $(WORKERS) --dist worksteal

# The settings refuse to load without these; types and checks never use their values.
THROWAWAY_ENV = \
	DOTENV=/dev/null \
	SECRET_KEY=only-for-checks-0123456789abcdefghijklmnopqrstuvwxyz \
	PUBLIC_URL=http://127.0.0.1 \
	XMPP_COMPONENT_JID=up.localhost \
	XMPP_COMPONENT_SECRET=only-for-checks \
	DATABASE_URL=sqlite://:memory:

.DEFAULT_GOAL := help
.PHONY: help venv demo run test test-postgresql test-everything parts checks lint format types \
	migrations pytest share bench soak fuzz guide audit clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# --- the virtual environment: touched only when a requirements file is newer than its stamp -------

$(VENV)/.stamp-run: requirements.txt constraints.txt deploy/make-venv.sh
	@sh deploy/make-venv.sh "$(PYTHON)" "$(VENV)" requirements.txt
	@touch $@

$(VENV)/.stamp-dev: requirements-dev.txt requirements.txt constraints.txt deploy/make-venv.sh
	@sh deploy/make-venv.sh "$(PYTHON)" "$(VENV)" requirements-dev.txt
	@touch $@ $(VENV)/.stamp-run

$(VENV)/.stamp-bench: requirements-bench.txt requirements-dev.txt requirements.txt constraints.txt deploy/make-venv.sh
	@sh deploy/make-venv.sh "$(PYTHON)" "$(VENV)" requirements-bench.txt
	@touch $@ $(VENV)/.stamp-dev $(VENV)/.stamp-run

venv: $(VENV)/.stamp-dev ## make or update the virtual environment (PYTHON=python3.12 to choose one)

# --- seeing it work -------------------------------------------------------------------------------

demo: $(VENV)/.stamp-run ## a private Prosody, both processes, a simulated phone, a push (ONCE=1: then stop)
	@sh deploy/need-prosody.sh
	@$(THROWAWAY_ENV) $(PY) manage.py demo $(if $(ONCE),--once) $(if $(HTTP_PORT),--http-port $(HTTP_PORT))

run: $(VENV)/.stamp-run ## start both processes as .env says (BIND=127.0.0.1 PORT=8000)
	@$(PY) manage.py migrate --noinput
	@# -e /dev/null: the processes read .env themselves; honcho would read it by other rules.
	@PATH="$(abspath $(BIN)):$$PATH" BIND="$(BIND)" honcho -e /dev/null start -p "$(PORT)"

# --- being sure of it -----------------------------------------------------------------------------

test: parts checks share ## everything: what tests need, lint, types, migrations, tests over both stores

test-postgresql: parts ## every test over PostgreSQL (PYTEST_ARGS="-k push")
	@PUSH_TEST_STORE=postgresql $(PYTEST) $(PYTEST_ARGS)

test-everything: parts checks pytest test-postgresql ## as test, and every play against each server over each store

parts: $(VENV)/.stamp-dev
	@echo "== what the tests need"
	@PYTHON="$(PY)" bash tests/install-parts.sh

checks: lint types migrations

lint: $(VENV)/.stamp-dev ## ruff: rules and format
	@echo "== lint"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.stamp-dev ## ruff: put the format right, fix what can be fixed safely
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.stamp-dev ## mypy, strict
	@echo "== types"
	@$(THROWAWAY_ENV) $(BIN)/mypy $(TYPED)

migrations: $(VENV)/.stamp-dev ## every change of a model has its migration
	@echo "== migrations"
	@$(THROWAWAY_ENV) $(PY) manage.py makemigrations --check --dry-run

pytest: $(VENV)/.stamp-dev ## every test over SQLite (PYTEST_ARGS="-k push")
	@echo "== tests over SQLite"
	@$(PYTEST) $(PYTEST_ARGS)

# What runs where: tests/conftest.py, left_to_the_other().
share: $(VENV)/.stamp-dev
	@echo "== tests over SQLite"
	@$(PYTEST) --share $(PYTEST_ARGS)
	@echo "== tests over PostgreSQL"
	@PUSH_TEST_STORE=postgresql $(PYTEST) --share $(PYTEST_ARGS)

bench: $(VENV)/.stamp-bench ## how fast it is on this machine, in ten minutes or so (QUICK=1: two; FOLDER=bench-results)
	@$(PY) -m bench $(if $(QUICK),--quick,--standard) --results "$(FOLDER)"

soak: $(VENV)/.stamp-dev ## pushes, restarts and failures for a while (MINUTES=10)
	@$(PY) -m tests.soak --minutes $(MINUTES)

fuzz: $(VENV)/.stamp-dev ## what nobody sends, to the real processes, for a while (MINUTES=10)
	@$(PY) -m tests.fuzz --minutes $(MINUTES)

guide: $(VENV)/.stamp-dev ## the install guide, followed in a container (root; debootstrap, systemd-container)
	@$(PY) -m tests.guide

audit: ## pip-audit of every package that is ever installed (AUDIT_ARGS="-s osv" asks another database)
	@$(PYTHON) -m venv "$(VENV)/audit"
	@"$(VENV)/audit/bin/python" -m pip install --disable-pip-version-check --no-input --quiet pip-audit==$(PIP_AUDIT)
	@"$(VENV)/audit/bin/pip-audit" --requirement requirements-bench.txt $(AUDIT_ARGS)

clean: ## remove the virtual environment and the tools' caches; data/ and .env stay
	rm -rf -- "$(VENV)" .mypy_cache .ruff_cache .pytest_cache .hypothesis
