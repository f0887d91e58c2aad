# `make demo` and `make test` do their own set-up; everything lands in .venv.
PYTHON ?= python3
# For another torch than the default: make demo TORCH_INDEX=<PyTorch's index of CPU or CUDA builds>
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: demo test lint types layers unit wheel faults train reference bench retrain-trial soak orders \
	month evaluation experiment clean test-monitoring dashboard

demo: $(VENV)/installed
	$(BIN)/kilokai demo

test: lint types layers unit wheel

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

layers: $(VENV)/installed-dev
	$(BIN)/lint-imports

unit: $(VENV)/installed-dev
	$(ONE_THREAD) $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

wheel: $(VENV)/installed-dev
	$(ONE_THREAD) $(BIN)/python -m tests.wheel

# Injects every fault that this machine lets it, and writes docs/reliability.md: half an hour.
# Some of them: make faults ONLY=14,power
faults: $(VENV)/installed-dev
	$(ONE_THREAD) $(BIN)/python -m tests.faults $(ONLY)

# Trains the model that ships in the package again: some twenty minutes on two cores.
train: $(VENV)/installed
	rm -rf build/ocean-v1
	$(BIN)/kilokai train build/ocean-v1 --seed 1 --hours 8 --jobs 2

# Measures what drift of that model is measured against, on the sound it was calibrated on.
reference: $(VENV)/installed
	$(ONE_THREAD) $(BIN)/python -m benchmarks.reference detector/pretrained/ocean-v1 2

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.station

# Simulates twelve days and retrains on them at full size: an hour, and 16 GB in TRIAL.
TRIAL ?= build/retrain-trial
retrain-trial: $(VENV)/installed-dev
	mkdir -p $(TRIAL)
	$(ONE_THREAD) $(BIN)/python -m benchmarks.retrain $(TRIAL)

# Days of sound through one daemon, an hour of the clock for each forty days or so.
DAYS ?= 30
soak: $(VENV)/installed-dev
	$(ONE_THREAD) $(BIN)/python -m benchmarks.soak $(DAYS)

# Sound in so many random orders, each compared with sound in order: 300 a minute.
ORDERS ?= 3000
orders: $(VENV)/installed-dev
	$(ONE_THREAD) $(BIN)/python -m tests.daemon.hearing.orders $(ORDERS)

# A month of rising noise, one that calms, one of a dying hydrophone: an hour of two cores.
month: $(VENV)/installed-dev
	$(ONE_THREAD) $(BIN)/python -m benchmarks.month $${TMPDIR:-/tmp}

# Writes docs/evaluation.md; a run that was stopped goes on, and `make clean` forgets its parts.
evaluation: $(VENV)/installed-dev
	$(if $(DATA),,$(error evaluation: found no DATA, wanted make evaluation DATA=<folder of mnist/, rightwhale/, aco/ and calls/>))
	$(ONE_THREAD) $(BIN)/python -m benchmarks.evaluation $(DATA)

# The report's own experiment on digits, at the end of docs/evaluation.md: ten minutes.
experiment: $(VENV)/installed-dev
	$(if $(DATA),,$(error experiment: found no DATA, wanted make experiment DATA=<folder of mnist/>))
	$(ONE_THREAD) $(BIN)/python -m benchmarks.evaluation.experiment $(DATA)

# What a station needs, as root: a release under PREFIX, units, a user, /etc/kilokai. Safe to do
# twice. With DESTDIR it is only laid out there. docs/operator.md tells the rest.
.PHONY: install-station station-software station-files use-station uninstall-station test-station
PREFIX ?= /opt/kilokai
DESTDIR ?=
PURGE ?= 0
STATION := PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' PYTHON='$(PYTHON)' TORCH_INDEX='$(TORCH_INDEX)' \
    PURGE='$(PURGE)' systemd/station.sh

install-station: station-software station-files

station-software:
	$(STATION) software

station-files:
	$(STATION) files

use-station:
	$(if $(RELEASE),,$(error use-station: found no RELEASE, wanted one of those in $(PREFIX)))
	$(STATION) use '$(RELEASE)'

uninstall-station:
	$(STATION) uninstall

# Boots a systemd of its own in a container over this machine's root: two minutes, as root, with
# the packages systemd-container and dbus.
test-station: $(VENV)/installed-dev
	$(ONE_THREAD) $(BIN)/python -m tests.station

# A real Prometheus on a real daemon, and the dashboard by Grafana's own types (Python's and npm's).
test-monitoring: $(VENV)/installed-dev
	command -v prometheus promtool || apt-get install -y --no-install-recommends prometheus
	$(PIP) --editable '.[monitoring]'
	$(ONE_THREAD) $(BIN)/python -m pytest -o python_files='test_*.py checks_*.py' tests/monitoring
	mkdir -p build/grafana
	npm install --prefix build/grafana --no-audit --no-fund --ignore-scripts @grafana/schema@13.2.3 typescript@7.0.2
	cat monitoring/grafana/schema.ts monitoring/grafana/kilokai.json > build/grafana/dashboard.ts
	build/grafana/node_modules/.bin/tsc --noEmit --strict --skipLibCheck --module esnext \
		--moduleResolution bundler build/grafana/dashboard.ts

# Writes the dashboard's JSON, its picture and the table of metrics: three minutes.
dashboard: $(VENV)/installed-dev
	$(BIN)/python -m monitoring.dashboard
	$(BIN)/python -m tests.monitoring.metrics_page
	$(ONE_THREAD) $(BIN)/python -m tests.monitoring.draw docs/dashboard.png

clean:
	rm -rf $(VENV) build dist

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(PIP) --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) --editable '.[dev]'
	touch $@
