# Every target sets up what it needs (tools/setup says what it does); nothing else is required.
.PHONY: demo test check format clean benchmark

PY := .venv/bin/python

demo: .venv/run.stamp
	.venv/bin/sauro demo

test: .venv/dev.stamp
	tools/check

check: test

format: .venv/dev.stamp
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

benchmark: .venv/dev.stamp
	tools/setup benchmark
	$(PY) benchmarks/ssh_fleet.py

.venv/run.stamp: requirements.txt pyproject.toml tools/setup
	tools/setup run

.venv/dev.stamp: requirements-dev.txt pyproject.toml tools/setup
	tools/setup dev

clean:
	rm -rf .venv demo build dist
