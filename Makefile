# Every target sets up what it needs (tools/setup says what it does); nothing else is required.
.PHONY: demo test check format clean benchmark form08-pages

PY := .venv/bin/python

demo: .venv/run.stamp
	.venv/bin/sauro demo

test: .venv/dev.stamp
	tools/check

check: test

format: .venv/dev.stamp
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

benchmark: .venv/run.stamp .venv-benchmark/stamp
	$(PY) benchmarks/startup.py
	$(PY) benchmarks/ssh_fleet.py

form08-pages: .venv/run.stamp
	tools/form08-pages

.venv/run.stamp: requirements.txt pyproject.toml tools/setup
	tools/setup run

.venv/dev.stamp: requirements-dev.txt pyproject.toml tools/setup
	tools/setup dev

.venv-benchmark/stamp: benchmarks/requirements.txt tools/setup
	tools/setup benchmark

clean:
	rm -rf .venv .venv-benchmark demo build dist
