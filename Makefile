# Every target works on a fresh clone with nothing but Python 3.11+ and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint audit bench docs statistics clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[offline,dev]"
	touch $(READY)

demo: $(READY)  ## the main job on the embedded data: no data folder, no hub
	$(BIN)/midway run studies/demo.toml --workers 2

test: $(READY)  ## all tests; those on real data run when MIDWAY_DATA is set
	$(BIN)/python -m pytest

lint: $(READY)  ## bandit's rules are among ruff's: family S
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(READY)  ## known vulnerabilities of the dependencies; needs a network
	$(BIN)/python scripts/audit.py

bench: $(READY)  ## fine-tuning and evaluation against transformers.Trainer; docs/performance.md has the others
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.evaluation

docs: $(READY)  ## regenerate the parts of docs/ that come from the code
	$(BIN)/python scripts/build_docs.py

statistics: $(READY)  ## describe the data under MIDWAY_DATA; committed beside the catalogue
	$(BIN)/python scripts/build_statistics.py

clean:
	rm -rf $(VENV) runs build dist
