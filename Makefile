# Counterfoil: `make up` starts everything, `make test` proves it.
# Each target first brings .venv and the browser assets up to date (bin/install); what is there already costs nothing.

SHELL := /bin/sh
.DEFAULT_GOAL := help
py := .venv/bin/python

ifdef PORT
export COUNTERFOIL_PORT := $(PORT)
endif

.PHONY: help up test check lint format soak bench docs lock clean

help:    ## what there is to make
	@sed -n 's/^\([a-z]*\): .*## */make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

up:      ## install what is missing and start Counterfoil with a demo store (PORT=8001 for another port)
	@bin/install run assets
	@exec .venv/bin/counterfoil up

test:    ## everything: style, types, import contracts, every test on PostgreSQL 18, the database's on 16 too
	@bin/install test assets browser
	@bin/verify all

check:   ## the fast part of it, in less than two minutes
	@bin/install test assets
	@bin/verify fast

lint:    ## style, types and migrations alone
	@bin/install test
	@bin/verify lint

format:  ## let ruff mend what it can
	@bin/install test
	@$(py) -m ruff check --fix src tests bench
	@$(py) -m ruff format src tests bench

soak:    ## try to lose money for an hour, ten thousand schedules of it (SECONDS=3600, SEED=… to begin elsewhere, REPLAY=… to play one schedule again)
	@bin/install test assets
	@exec $(py) -m tests.soak --seconds $(or $(SECONDS),3600) $(if $(SEED),--seed $(SEED)) $(if $(REPLAY),--replay $(REPLAY))

bench:   ## measure on this machine (BIG=1: a million orders)
	@bin/install bench assets
	@exec $(py) -m bench $(if $(BIG),--big)

docs:    ## write the reference anew from the code
	@bin/install run
	@exec $(py) -m docs

lock:    ## resolve the Python packages anew (needs uv)
	@bin/lock $(if $(UPGRADE),--upgrade)

clean:   ## remove what was installed and built; the data folder stays
	rm -rf .venv node_modules build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
