# `make` or `make help` lists what can be made. Nothing is installed outside .venv, and no path is spelled absolutely,
# so that a folder called 新 文件夹 is as good as any other.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Half of what a start takes is the compiling of modules that were not kept compiled.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help run test suite lint types arrows translations docs bench lock

PYTHON ?=
PORT ?=
# Much of what is tested waits, for deaths, browsers and clocks: one process more than there are processors.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
IN := .venv/bin/python
INSTALLED := .venv/installed

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

run: $(INSTALLED) translations ## start everything with the demo company, on http://127.0.0.1:8000 (PORT=… for another)
	@exec $(IN) -m shouxin.config.cli serve --demo $(if $(PORT),--port $(PORT))

test: $(INSTALLED) translations ## all checks and the whole suite (WORKERS=… processes, ARGS=… for pytest)
	@if [ -n "$${CI:-}" ] && ! command -v chromium chromium-browser google-chrome >/dev/null; then echo "make: no Chromium, and CI is set" >&2; exit 1; fi
	@failed=; for check in lint types arrows suite; do $(MAKE) --no-print-directory "$$check" || failed="$$failed $$check"; done; \
	  if [ -n "$$failed" ]; then echo "make test: not passed:$$failed" >&2; exit 1; fi

suite: $(INSTALLED) translations
	@$(IN) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(INSTALLED) ## ruff: rules and format
	@$(IN) -m ruff check .
	@$(IN) -m ruff format --check .

types: $(INSTALLED) ## mypy, strict on the rules
	@$(IN) -m mypy

arrows: $(INSTALLED) ## import-linter: which way the arrows point
	@.venv/bin/lint-imports

translations: $(INSTALLED) ## compile the Chinese where it is stale
	@$(IN) -m shouxin.lib.translations compile

docs: $(INSTALLED) ## build the documentation into site/
	@$(IN) -m mkdocs build --strict

bench: $(INSTALLED) ## measure, with anchors in the same run (BENCH=checks|import|pages|portfolio|day)
	@$(IN) -m shouxin.config.cli bench $(BENCH)

lock: $(INSTALLED) ## resolve the dependencies anew into requirements.lock
	@$(IN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --extra dev --custom-compile-command 'make lock' $(LOCK_ARGS) --output-file requirements.lock pyproject.toml

$(INSTALLED): requirements.lock pyproject.toml hatch_build.py
	@PYTHON='$(PYTHON)' bash .ci/install
	@touch $(INSTALLED)
