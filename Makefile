# The front door. `make demo` and `make test` also do all the set-up that is missing, and install nothing otherwise.

# Cargo's development profile reaches the start page in half the time of a release build on a machine that has built
# nothing yet, and the password hash, the one thing that would be slow in it, is optimised there too (Cargo.toml).

CARGO ?= cargo
VENV := target/interop-venv
BROWSER_MODULES := tests/browser/node_modules/.package-lock.json
INTEROP_MODULES := tests/interop/node_modules/.package-lock.json

.PHONY: help demo test test-rust test-browser test-interop check bench fuzz setup packages clean
.DEFAULT_GOAL := help
# Two cargo commands at once only wait for each other.
.NOTPARALLEL:

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build Marelle and play its territory on this machine; Ctrl-C ends it
	@tests/setup/packages build
	$(CARGO) run -- demo

test: setup test-rust test-interop test-browser ## All tests: Rust on SQLite and PostgreSQL, foreign clients and identity providers, the pages in a browser

test-rust: packages ## Only the Rust tests, with a throwaway PostgreSQL
	MARELLE_TEST_XMLSEC1=xmlsec1 tests/setup/postgres $(CARGO) test

test-browser: $(BROWSER_MODULES) $(INTEROP_MODULES) ## Only the pages in a browser; pictures in target/screenshots/
	$(CARGO) build
	node tests/browser/run.mjs

test-interop: $(VENV)/complete $(INTEROP_MODULES) ## Only the clients and identity providers that we did not write, against Marelle
	$(CARGO) build
	tests/interop/run
	tests/interop/upstream
	tests/interop/cas
	tests/interop/events

check: ## Format, lints and documentation, every warning an error
	@tests/setup/packages build check
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps

bench: ## Measure; docs/performance.md says how to read it
	@tests/setup/packages build bench
	$(CARGO) bench

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=

fuzz: ## Let a machine look for bytes that break what reads them: FUZZ_SECONDS=60 a target, FUZZ_TARGETS="cas …"
	@tests/setup/packages build fuzz
	FUZZ_SECONDS=$(FUZZ_SECONDS) fuzz/run $(FUZZ_TARGETS)

setup: packages $(BROWSER_MODULES) $(INTEROP_MODULES) $(VENV)/complete ## Only the set-up: system packages by apt, packages of Node.js and Python

clean: ## Forget everything built or fetched; data/ is left alone
	$(CARGO) clean
	rm -rf tests/browser/node_modules tests/interop/node_modules fuzz/target fuzz/corpus

packages:
	@tests/setup/packages build test

tests/%/node_modules/.package-lock.json: tests/%/package.json tests/%/package-lock.json | packages
	@cd tests/$* && npm ci || { \
	  echo "Missing: the packages of tests/$*; with a way to the npm registry: cd tests/$* && npm ci" >&2; exit 1; }
	@touch $@

$(VENV)/complete: tests/interop/requirements.txt | packages
	@rm -rf $(VENV) && python3 -m venv $(VENV) && $(VENV)/bin/pip install --quiet --requirement $< || { \
	  echo "Missing: the packages of $<; with a way to the Python package index: make setup" >&2; exit 1; }
	@touch $@
