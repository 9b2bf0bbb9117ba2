# Two commands do everything on a fresh machine: `make run` and `make test`. They need Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: run test check bench conformance clean

run: $(INSTALLED)
	@$(BIN)/argosy serve --background
	@$(BIN)/argosy run flights-training
	@$(BIN)/argosy predict

test: $(INSTALLED)
	@$(BIN)/pytest -n auto

check: $(INSTALLED)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/argosy compile --check
	@$(BIN)/argosy compile --target argo --check

bench: $(INSTALLED)
	@$(BIN)/python benchmarks/overhead/run.py
	@$(BIN)/python benchmarks/plan/run.py
	@$(BIN)/python benchmarks/compile/run.py
	@$(BIN)/python benchmarks/orchestrators/run.py

conformance: $(INSTALLED)
	@$(BIN)/python -m tests.fakes.conformance_page

clean:
	@test ! -x $(BIN)/argosy || $(BIN)/argosy stop
	rm -rf $(VENV) .venv-bench .argosy .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Argosy needs Python 3.11 or newer; name one with make PYTHON=...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@echo "installing what requirements.lock pins into $(VENV)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --require-hashes --compile-bytecode -r requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q argosy components pipelines
	@touch $@
