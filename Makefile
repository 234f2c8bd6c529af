# evsed: see README.md. `make run` and `make test` need Go and make alone.

.SHELLFLAGS := -euc
.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

GO       ?= go
BUILD    ?= build
# What the shipped binary is built with: no HTTP/2, no symbols, no paths of the desk.
TAGS     := nethttpomithttp2
LDFLAGS  := -s -w
# What the binary calls itself, and what `evsed fw pack` asks for: make build VERSION=1.2.3. Without it, what the source says.
VERSION  :=
override LDFLAGS += $(VERSION:%=-X main.release=%)
# Packages that wait for a network or a person, or do their work at the start: copies of functions in their callers win no
# time there, and cost 850 kB; so do signatures and what else is made once a connection. What computes, checks or writes for
# each message is not among them.
COLD     := net net/http net/http/internal/... net/textproto net/url mime/... crypto/tls crypto/x509/... encoding/asn1 \
            encoding/json log/... flag os/... vendor/golang.org/x/net/... vendor/golang.org/x/text/... \
            vendor/golang.org/x/crypto/cryptobyte golang.org/x/crypto/... fmt reflect \
            github.com/google/go-tpm/... github.com/jlaffaye/ftp github.com/godbus/... github.com/coreos/... \
            math/big crypto/rsa crypto/ecdsa crypto/ed25519 crypto/ecdh crypto/hpke \
            crypto/internal/fips140/rsa crypto/internal/fips140/ecdsa crypto/internal/fips140/ecdh \
            crypto/internal/fips140/edwards25519/... crypto/internal/fips140/mlkem \
            compress/... \
            ./station/cert ./station/update ./storage/seclog \
            github.com/landlock-lsm/... ./hal/fortress ./storage/keys/... ./storage/slot/... ./ocpp/transfer \
            ./cmd/... ./station/local/... ./hal/halsim ./boards/... ./hal/serial/... ./hal/modbus ./hal/meter/... ./hal/rfid/... \
            ./hal/light ./hal/display ./hal/isolation ./hal/rectifier ./hal/precharge \
            go.yaml.in/yaml/v3 go.bug.st/... regexp/... github.com/ZaparooProject/...
GCFLAGS  := $(COLD:%=-gcflags=%=-l)
PRODUCT  := ./cmd/evsed
DEMO     := ./cmd/evsed-demo
TARGETS  := armv6 armv7 arm64 riscv64 amd64

# Folder of the OCPP schemas; they are not part of this repository.
SCHEMAS  ?=
override SCHEMAS := $(if $(SCHEMAS),$(abspath $(SCHEMAS)))
export SCHEMAS
# Generators: scripts folder, then the package it writes.
GENERATED := gen2:ocpp/msg2 gen2:ocpp/msg16 gensoap:ocpp/soap

TESTFLAGS ?=
FUZZTIME  ?= 10m
RACEFLAGS ?= -short
SEED      ?= $(shell date +%s)
SOAKRUN   ?=
YEARS     ?= 10
TRACE     ?=
# Gates: bytes of a stripped binary by target, and kB of memory (PSS) of an idle
# station with two EVSEs.
SIZE_LIMITS  ?= armv7=14000000
MEMORY_LIMIT ?= 10000

STATICCHECK := $(GO) tool -modfile=scripts/tools/go.mod staticcheck
# Modules of their own, for what the product must not depend on.
NESTED := $(filter-out scripts/tools,$(patsubst %/go.mod,%,$(wildcard scripts/*/go.mod)))

# Tests test what is shipped: a program without C. The race detector alone needs it.
export CGO_ENABLED := 0

.PHONY: help run test test-kernel test-arm check race bench fuzz soak gen docs build package
.PHONY: fmt vet static floors gen-diff arm reflect nested size memory reproducible

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## the demo: a simulated station, a CSMS and a prompt
	@$(GO) run $(DEMO)

test: ## every test of the product, and a line that counts them
	@$(GO) run ./scripts/testcount -timeout 20m $(TESTFLAGS) ./...

check: fmt vet static test floors gen-diff arm reflect nested size memory reproducible ## all that must hold before a change lands

test-kernel: ## the station and its drivers on a real kernel with simulated lines (User-mode Linux, built once)
	@scripts/uml/test.sh

test-arm: $(BUILD)/evsed-linux-armv7 ## the armv7 binary, the demo and the unit tests of F0 to F3 under qemu-arm
	@scripts/arm.sh $<

# What Debian and OpenWrt call the targets.
PACKAGES := deb:armv6:armel deb:armv7:armhf deb:arm64:arm64 deb:riscv64:riscv64 deb:amd64:amd64 \
            ipk:armv7:arm_cortex-a7_neon-vfpv4 ipk:arm64:aarch64_cortex-a53 ipk:amd64:x86_64
package: $(TARGETS:%=$(BUILD)/evsed-linux-%) ## packages for Debian and OpenWrt of every target, into dist/: make package VERSION=1.2.3
	@test -n "$(VERSION)" || { echo "package: want a version: make package VERSION=1.2.3"; exit 2; }
	@for p in $(PACKAGES); do rest=$${p#*:}; \
	  scripts/package/package.sh "$${p%%:*}" "$(BUILD)/evsed-linux-$${rest%%:*}" "$${rest#*:}" "$(VERSION)" dist; done

# The tests of cmd/evsed start real processes and measure them; the detector would measure itself.
race: ## tests under the race detector, where goroutines are (needs a C compiler)
	@pkgs=$$(scripts/list.sh goroutines | grep -v '/cmd/evsed$$'); \
	  test -n "$$pkgs" || { echo "race: no package starts a goroutine"; exit 1; }; \
	  CGO_ENABLED=1 $(GO) run ./scripts/testcount -race -timeout 20m $(RACEFLAGS) $$pkgs

bench: ## benchmarks, and the comparison with other libraries
	@pkgs=$$(scripts/list.sh benchmarks); test -z "$$pkgs" || $(GO) test -run '^$$' -bench . -benchmem $$pkgs
	@cd scripts/bench && $(GO) run .

fuzz: ## every fuzz target for FUZZTIME (10m)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

soak: ## simulated station-years: make soak SEED=7 YEARS=10 [TRACE=file]; other long tests: make soak SEED=7 SOAKRUN=TestTour
	@echo "soak: SEED=$(SEED)"
	@if test -n "$(SOAKRUN)"; then \
	  EVSED_SOAK=1 SEED=$(SEED) $(GO) run ./scripts/testcount -count=1 -timeout 24h -run '$(SOAKRUN)' ./...; \
	else $(GO) run ./scripts/years -seed $(SEED) -years $(YEARS) -trace '$(TRACE)'; fi

gen: ## write the generated code again: make gen SCHEMAS=dir
	@test -d "$(SCHEMAS)" || { echo "gen: SCHEMAS='$(SCHEMAS)' is not a folder; try: make gen SCHEMAS=dir"; exit 2; }
	@for g in $(GENERATED); do \
	  echo "gen: $${g#*:}"; $(GO) run ./scripts/$${g%:*} -schemas "$(SCHEMAS)" -out $${g#*:}; done

docs: ## write the pages anew that come of tests and of the figures of rigs
	@$(GO) run ./scripts/conformance-docs
	@$(GO) run ./scripts/robustness

build: $(TARGETS:%=$(BUILD)/evsed-linux-%) ## the binary for every target, into build/
	@scripts/size.sh $^

# --- the parts of check ---

fmt:
	@echo "== gofmt"
	@list=$$(find . -name '*.go' -not -path '*/testdata/*' -not -path './$(BUILD)/*' -exec "$$($(GO) env GOROOT)/bin/gofmt" -l {} +); \
	  test -z "$$list" || { echo "not formatted, run gofmt -w:"; echo "$$list"; exit 1; }

vet:
	@echo "== go vet"
	@$(GO) vet ./...

static:
	@echo "== staticcheck"
	@$(STATICCHECK) -tags $(TAGS) ./...

floors:
	@echo "== floors, file lengths, linked modules"
	@$(GO) test ./scripts/floors

gen-diff:
	@echo "== generated code"
	@if test -d "$(SCHEMAS)"; then scripts/gendiff.sh "$(SCHEMAS)" $(GENERATED); \
	  else echo "not run: SCHEMAS names no folder of schemas (make check SCHEMAS=dir)"; fi

# 32 bits: vet reads the tests too.
arm:
	@echo "== ARM build"
	@GOOS=linux GOARCH=arm GOARM=7 CGO_ENABLED=0 $(GO) vet -trimpath -tags $(TAGS) ./...
	@GOOS=linux GOARCH=arm GOARM=7 CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) ./...

reflect:
	@echo "== no method is reached by name"
	@TAGS=$(TAGS) scripts/reflect.sh $(PRODUCT)

nested:
	@echo "== nested modules: $(if $(NESTED),$(NESTED),none)"
	@for m in $(NESTED); do scripts/nested.sh $$m; done

size: $(TARGETS:%=$(BUILD)/evsed-linux-%)
	@echo "== size"
	@SIZE_LIMITS="$(SIZE_LIMITS)" scripts/size.sh $^

memory:
	@echo "== memory"
	@CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags "$(LDFLAGS)" -tags $(TAGS) $(GCFLAGS) -o $(BUILD)/evsed $(PRODUCT)
	@MEMORY_LIMIT=$(MEMORY_LIMIT) scripts/memory.sh $(BUILD)/evsed

# Twice from nothing, in other places: everybody can build the bytes that are shipped.
REPRODUCIBLE ?= armv7
reproducible:
	@echo "== the same bytes twice"
	@scripts/reproducible.sh $(REPRODUCIBLE)

# Go knows better than make what has changed.
.PHONY: always
$(BUILD)/evsed-linux-armv6: export GOARM := 6
$(BUILD)/evsed-linux-armv7: export GOARM := 7
$(BUILD)/evsed-linux-%: always
	@out=$$(CGO_ENABLED=0 GOOS=linux GOARCH=$(patsubst armv%,arm,$*) \
	  $(GO) build -buildvcs=false -trimpath -ldflags "$(LDFLAGS)" -tags $(TAGS) $(GCFLAGS) -o $@ $(PRODUCT) 2>&1) || \
	  { echo "$$out"; exit 1; } # the cache may repeat what the linker printed for another check
