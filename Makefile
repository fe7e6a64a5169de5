# `make demo` and `make test` need only Python 3.11 or newer with pip and venv; all else they install themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test soak docs install pins reference pictures clean
.DEFAULT_GOAL := demo

demo: $(VENV)/installed
	snakemake --cores $(CORES) --configfile config/demo.yaml --logger stages
	@echo && sed '/^$$/q' results/demo/summary.txt
	@echo "The page, which opens without a network: $(CURDIR)/results/demo/index.html"

test: $(VENV)/installed
	bash .ci/checks

# Long checks on request: fifty kills (FAULT_SEED=1 draws others), a full disk, jobs that SLURM ends, all marked `soak`.
soak: $(VENV)/installed
	pytest -m soak

# The documentation as a site: build/docs/index.html.
docs: $(VENV)/installed
	sphinx-build --fail-on-warning --keep-going --quiet docs build/docs
	@echo "The documentation: $(CURDIR)/build/docs/index.html"

install: $(VENV)/installed

# The kernels of persistence and neighbours are compiled once, in half a minute, not by the first jobs side by side.
define COMPILE
import numpy as np, cnn_topology as ct
ct.loops(np.random.default_rng(0).standard_normal((600, 9)), draws=99)
endef
export COMPILE

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# In less than half of pip's time, and it leaves nothing in the home. Where it cannot, as with an index that only pip's
# own settings name, pip does.
UV := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --cache-dir $(VENV)/uv

# Exact versions with hashes; the marker is made anew when the pins or the package's own metadata change.
$(VENV)/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cnn-topology needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/# via/p' requirements.txt > $(VENV)/uv.txt
	$(PIP) --require-hashes --requirement $(VENV)/uv.txt
	$(UV) --require-hashes --requirement requirements.txt || $(PIP) --require-hashes --requirement requirements.txt
	rm -rf $(VENV)/uv $(VENV)/uv.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	$(BIN)/python -c "$$COMPILE"
	touch $@

# Pin anew, with uv: the newest versions that pyproject.toml allows, for every platform, without download addresses.
pins:
	uv pip compile pyproject.toml --extra dev --extra docs --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make pins" --upgrade --output-file requirements.txt

reference: $(VENV)/installed
	python docs/reference/write.py

# The figures of formulas in docs/: their bytes depend on the version of matplotlib, so only after a change of one.
pictures: $(VENV)/installed
	python docs/pictures/draw.py docs

clean:
	rm -rf $(VENV) .snakemake build src/*.egg-info
