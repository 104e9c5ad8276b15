# Every target sets up what it needs (tools/setup says what it does); nothing else is required.
.PHONY: demo test check format clean benchmark fuzz form08-pages

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

# Minutes for each parser; PARSERS="pdf postfix" for some only.
MINUTES := 3

fuzz: .venv/dev.stamp .venv-fuzz/stamp
	fuzz/run $(MINUTES) $(PARSERS)

form08-pages: .venv/run.stamp
	tools/form08-pages

.venv/run.stamp: requirements.txt pyproject.toml tools/setup
	tools/setup run

.venv/dev.stamp: requirements-dev.txt pyproject.toml tools/setup
	tools/setup dev

.venv-benchmark/stamp: benchmarks/requirements.txt tools/setup
	tools/setup benchmark

.venv-fuzz/stamp: requirements.txt fuzz/requirements.txt tools/setup
	tools/setup fuzz

clean:
	rm -rf .venv .venv-benchmark .venv-fuzz .fuzz demo build dist
