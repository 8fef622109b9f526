# Everything happens in .venv, which the targets make for themselves and renew when pyproject.toml
# changes. PYTHON names the interpreter it is made from: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUN_DIR ?= runs/synthetic

.DEFAULT_GOAL := help
.PHONY: help install demo test check lint format clean

help: ## List what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(STAMP) ## Make .venv with everything in it (about 4 GB to download, 8 GB on disk)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is too old: headrecon needs Python 3.11 or newer (set PYTHON=...)" >&2; exit 2; }
	@echo "Installing into $(VENV): about 4 GB to download the first time, 8 GB on disk."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## Reconstruct a made-up person from made-up photos; no network needed after the install
	@echo "Photographing a made-up person and reconstructing the head, on the CPU if there is no GPU."
	@echo "Results are kept as they come: if it is interrupted, run it again and it goes on from there."
	$(BIN)/python -m headrecon.train +subject=synthetic run_dir=$(RUN_DIR)
	@echo "Look at $(RUN_DIR)/report/index.html, and at $(RUN_DIR)/mesh/head.ply in any mesh viewer."

test: $(STAMP) ## Run the tests; neither GPU nor network needed
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(STAMP) ## Check formatting, style, types and the direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

check: lint test ## What has to pass before a change goes in: lint, then test

format: $(STAMP) ## Format the code and sort its imports
	$(BIN)/ruff check --fix --select I
	$(BIN)/ruff format

clean: ## Remove caches of the tools; runs/, data/ and .venv stay
	rm -rf .pytest_cache .ruff_cache .import_linter_cache *.egg-info
	find headrecon tests -name __pycache__ -prune -exec rm -rf {} +
