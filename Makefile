# Two commands do everything on a fresh machine: `make run` and `make test`. They need Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# The image of steps, as components name it. BASE is what it stands on, IMAGE_FLAGS are for the builder: docker where its
# daemon answers, else buildah.
BASE ?= python:3.11-slim-bookworm
IMAGE ?= $(shell sed -n 's/^STEPS = "\(.*\)"$$/\1/p' components/images.py)
BUILDER ?= $(shell docker version >/dev/null 2>&1 && echo docker || echo buildah)

.PHONY: run test check bench conformance image clean

# The flights are of 2013: features go online as of five minutes before one of them, and the server answers as of it.
run: $(INSTALLED)
	@$(BIN)/argosy serve --background --replay
	@$(BIN)/argosy run flights-training
	@$(BIN)/argosy run features-materialize -p at=2013-12-30T21:55:00Z
	@$(BIN)/argosy predict --entities docs/flight.json --as-of 2013-12-30T22:00:00Z

test: $(INSTALLED)
	@$(BIN)/pytest -n auto

check: $(INSTALLED)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/argosy compile --check
	@$(BIN)/argosy compile --target argo --check
	@$(BIN)/argosy compile features-materialize --target argo --kind CronWorkflow --schedule '*/5 * * * *' --check

bench: $(INSTALLED)
	@$(BIN)/python benchmarks/overhead/run.py
	@$(BIN)/python benchmarks/plan/run.py
	@$(BIN)/python benchmarks/compile/run.py
	@$(BIN)/python benchmarks/retrieval/run.py
	@$(BIN)/python benchmarks/online/run.py
	@$(BIN)/python benchmarks/orchestrators/run.py

conformance: $(INSTALLED)
	@$(BIN)/python -m tests.fakes.conformance_page

image:
	BUILDAH_LAYERS=true $(BUILDER) build --build-arg BASE=$(BASE) --tag $(IMAGE) $(IMAGE_FLAGS) .

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
