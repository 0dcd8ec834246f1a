# flowsync. `make help` lists the targets. Only Go and make are needed for run and test.

SHELL    := /bin/bash
GO       ?= go
FUZZTIME ?= 10s
FUZZJOBS ?= 2
HOURS    ?= 1
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
LINT     := $(GO) tool -modfile=scripts/tools/go.mod golangci-lint
TARGETS  := linux/amd64 linux/arm64 windows/amd64 windows/arm64 darwin/amd64 darwin/arm64

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

run: build ## build, and serve the example that answers itself
	./bin/flowsync run cmd/flowsync/examples/quickstart.yaml

build: ## build bin/flowsync
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/flowsync ./cmd/flowsync

test: ## run the tests that need nothing but Go
	$(GO) test ./...

check: ## format, vet, lint, tidiness
	scripts/check "$(LINT)"

race: ## run the tests with the race detector, in random order
	$(GO) test -race -shuffle=on ./...
	cd bench/compare && $(GO) test -race -shuffle=on ./...

cover: ## the same tests, with statement coverage and its floors
	scripts/cover

fuzz: ## run every fuzz target for FUZZTIME (10s), FUZZJOBS (2) at a time
	scripts/fuzz $(FUZZTIME) $(FUZZJOBS)

peers: ## run the tests against real peers; scripts/peers installs what they need
	scripts/peers test

chaos: ## run a short fault campaign, and prove its checker with planted bugs (90 seconds)
	scripts/chaos short
	scripts/chaos planted

chaos-long: ## run the long fault campaign: a million requests, 240 faults; needs root (10 minutes)
	scripts/chaos long

overload: ## offer more than the gateway can do, with slow clients and a slow broker (15 minutes)
	scripts/chaos overload 10m

soak: ## run mixed load for HOURS (1), and fail on growth
	scripts/soak $(HOURS)

cross: ## build for all platforms into dist/
	@for t in $(TARGETS); do \
	  out=dist/flowsync-$${t/\//-}; [[ $$t == windows/* ]] && out+=.exe; echo $$out; \
	  CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $$out ./cmd/flowsync || exit 1; \
	done

bench: ## measure everything (20 minutes) and write BENCHMARKS.md; BENCH=quick only tries it
ifeq ($(BENCH),quick)
	QUICK=1 OUT=bin/bench/bench/results bench/record
	$(GO) run ./bench/page -root bin/bench
else
	bench/record
	$(GO) run ./bench/page
endif

bench-page: ## write BENCHMARKS.md and its pictures from what was recorded
	$(GO) run ./bench/page

bench-check: ## fail if BENCHMARKS.md and what was recorded differ
	$(GO) run ./bench/page -check

bench-smoke: ## run each benchmark briefly; fail if the hot path allocates
	scripts/smoke

ci: check bench-check build cover bench-smoke race peers chaos fuzz cross ## everything that must hold before a change lands

clean: ## remove what was built
	rm -rf bin dist

.PHONY: help run build test check race cover fuzz peers chaos chaos-long overload soak cross bench bench-page bench-check bench-smoke ci clean
