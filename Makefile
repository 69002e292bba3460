# mlplat: `make` alone lists what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TERRAFORM ?= $(shell command -v terraform || command -v tofu || echo terraform)
# What is built with: `release`, or `dev`, which compiles in a fraction of the time and runs slower.
PROFILE ?= release
BUILT := target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
# Where `make install` puts the programs: into its `bin`.
PREFIX ?= $(HOME)/.local
# Tests side by side: more than small machines have cores, for most of them wait for servers.
TEST_THREADS ?= 4
FUNCTIONS := $(patsubst krm-functions/%/src/main.rs,%,$(wildcard krm-functions/*/src/main.rs))
# What users run: no test, no bench. `--workspace` beside them, so that cargo chooses the same features as for everything.
PROGRAMS ?= $(foreach program,terraform-provider-mlplat artefact-store $(FUNCTIONS),--bin $(program))
export TERRAFORM

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: programs
programs: ## Build mlplat, the functions and the example application into .mlplat/bin
	@cargo build --profile $(PROFILE) --workspace $(PROGRAMS) --locked
	@mkdir -p .mlplat/bin
	@ln -sfn "$(CURDIR)/$(BUILT)/terraform-provider-mlplat" .mlplat/bin/mlplat
	@for binary in artefact-store $(FUNCTIONS); do ln -sfn "$(CURDIR)/$(BUILT)/$$binary" ".mlplat/bin/$$binary"; done

.PHONY: build
build: ## Build every program of the workspace, those of the tests too
	@$(MAKE) programs PROGRAMS='--bins $(if $(filter dev,$(PROFILE)),--examples)'

.PHONY: install
install: programs ## Install the provider (~/.terraform.d/plugins) and the programs (~/.local/bin), for this user
	@.ci/install install $(BUILT) "$(PREFIX)"

.PHONY: uninstall
uninstall: ## Remove what `make install` installed; stacks and caches stay
	@.ci/install uninstall "$(PREFIX)"

.PHONY: engines
engines: programs ## Download the service engines that are not installed (pinned, verified, into the cache)
	@.mlplat/bin/mlplat engines install

.PHONY: mirror
mirror: programs ## Put the provider into a filesystem mirror (.mlplat/mirror) with its CLI configuration
	@examples/infrastructure/demo mirror $(BUILT)

# Unless PROFILE is given: `dev`, so that the first demo is there soon.
.PHONY: demo
demo: ## Run both layers on this machine: services, contract, overlay, application
	@examples/infrastructure/demo needs
	@$(MAKE) engines mirror PROFILE=$(if $(filter file,$(origin PROFILE)),dev,$(PROFILE))
	@examples/infrastructure/demo up

.PHONY: demo-app
demo-app: ## Run the demo's application again, with its page on port 8081, until Ctrl-C
	@examples/infrastructure/demo app

.PHONY: demo-down
demo-down: ## Destroy the demo; only the download caches remain
	@examples/infrastructure/demo down

# Where Linux systems keep the authorities that they trust; the application asks them about AWS.
AUTHORITIES ?= $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt) /etc/ssl/certs/ca-certificates.crt)

.PHONY: images
images: build ## Make container images of the application and the functions in .mlplat/images, without Docker
	@$(BUILT)/images --out .mlplat/images --with $(AUTHORITIES) artefact-store=$(BUILT)/artefact-store
	@$(BUILT)/images --out .mlplat/images $(foreach function,$(FUNCTIONS),mlplat/$(function)=$(BUILT)/$(function))

.PHONY: check
check: ## Formatting, clippy and the walls between the crates
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@"$$(.ci/tools cargo-deny)" --locked --all-features --config .deny.toml check --hide-inclusion-graph bans licenses sources

# `--workspace` everywhere: with `--package` cargo chooses other features for tokio and serde, and compiles all that
# stands on them once more. For the same reason the demo is tested with what the tests have built (PROFILE=dev).
# Needs a network; not a part of `make test`, which must pass without one.
.PHONY: audit
audit: ## Known faults of the pinned crates, from the RustSec database
	@"$$(.ci/tools cargo-deny)" --locked --all-features --config .deny.toml check --hide-inclusion-graph advisories

.PHONY: test
test: check ## Everything, against the real parts
	@cargo build --workspace --bins --examples --locked
	@target/debug/terraform-provider-mlplat engines install
	@target/debug/terraform-provider-mlplat engines install postgres # beside the system's: tests run both
	@for tool in kustomize-pinned kustomize-oldest kubectl-newest moto ministack tofu; do .ci/tools $$tool; done
	@$(MAKE) --keep-going test-workspace test-tofu demo-test test-kubernetes PROFILE=dev PROGRAMS='--bins --examples'

.PHONY: test-workspace
test-workspace: ## Every crate's tests, but those on Kubernetes
	@RUST_TEST_THREADS=$(TEST_THREADS) cargo test --workspace --locked --no-fail-fast

.PHONY: test-tofu
test-tofu: ## The provider's acceptance tests under OpenTofu
	@cargo build --workspace --bins --examples --locked
	@MLPLAT_TERRAFORM="$$(.ci/tools tofu)" RUST_TEST_THREADS=$(TEST_THREADS) cargo test --workspace --test terraform --locked

.PHONY: demo-test
demo-test: ## The demo, twice, and nothing left after it
	@examples/infrastructure/demo test

.PHONY: test-kubernetes
test-kubernetes: ## Both layers on a real Kubernetes of one node (Linux, root)
	@cargo build --workspace --bins --examples --locked
	@[ "$$(id -u)" != 0 ] || .ci/tools kubernetes >/dev/null
	@cargo test --workspace --test kubernetes --locked

.PHONY: cluster
cluster: ## A real Kubernetes of one node, to look at and try (Linux, root)
	@cargo build --quiet --workspace --bin cluster --bin images --locked
	@target/debug/cluster up .mlplat/cluster

.PHONY: cluster-down
cluster-down: ## End that Kubernetes; only the download caches remain
	@cargo build --quiet --workspace --bin cluster --locked
	@target/debug/cluster down .mlplat/cluster

.PHONY: docs
docs: ## Regenerate docs/ from the provider's tables
	@cargo run --quiet --package terraform-provider-mlplat -- docs docs

.PHONY: bench
bench: build ## Speed and memory as ratios over a floor measured in the same run
	@cargo run --release --quiet --package acceptance --bin bench --locked
