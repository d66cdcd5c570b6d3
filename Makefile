# `make` lists what there is to make.
.DEFAULT_GOAL := help

GOLANGCI_LINT_VERSION := v2.15.0
TOOLS := .dwcp/tools
VENV := .dwcp/venv
PACKAGES := $(VENV)/requirements.txt
CYCLONEDX_GOMOD_VERSION := v1.10.0
CYCLONEDX_GOMOD := $(TOOLS)/cyclonedx-gomod-$(CYCLONEDX_GOMOD_VERSION)/cyclonedx-gomod
GOVULNCHECK_VERSION := v1.9.0
# What releases are built with, and judged by.
TOOLCHAIN = $(shell awk '$$1 == "toolchain" { print $$2 }' go.mod)
VERSION = $(shell sh scripts/version.sh)
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint

# What runs goroutines of its own, or shares state with those of others.
RACE := ./connector/... ./exporter/... ./extension/... ./internal/queuestorage ./instrumentation ./internal/collector ./internal/decisionlog \
	./examples/... ./internal/ledger ./internal/progress ./internal/replay ./processor/... ./provider/... ./trainingset/export ./trainingset/validate ./internal/boost

.PHONY: help images-check build kafka release vulncheck demo test proof faults race cross lint generate tidy check bench bench-long bench-cost bench-tiers bench-go profile fuzz clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/otelcol-dwcp (by ocb) and bin/dwcp-telemetry
	mkdir -p bin
	env dist.version=$(VERSION) go tool builder --config builder-config.yaml
	install -m 755 build/otelcol-dwcp bin/otelcol-dwcp
	go build -ldflags '-X github.com/novacron/dwcp-telemetry/internal/version.linked=$(VERSION)' -o bin/dwcp-telemetry ./cmd/dwcp-telemetry

kafka: ## bin/otelcol-dwcp-kafka, the collector with Kafka's exporter and receiver
	mkdir -p bin build/kafka
	env dist.version=$(VERSION) go tool builder --config deploy/kafka/builder-config.yaml
	install -m 755 build/kafka/otelcol-dwcp-kafka bin/otelcol-dwcp-kafka

release: $(CYCLONEDX_GOMOD) ## dist/: both programs of this commit for PLATFORMS (three), checksums, SBOMs
	CYCLONEDX_GOMOD=$(CYCLONEDX_GOMOD) bash scripts/release.sh $(PLATFORMS)

$(CYCLONEDX_GOMOD):
	GOBIN=$(CURDIR)/$(@D) go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_GOMOD_VERSION)

# The database of known vulnerabilities comes as a module, from where modules come from.
vulncheck: ## known vulnerabilities that our code, or the collector, can reach
	GOTOOLCHAIN=$(TOOLCHAIN) GOVULNCHECK=golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) bash scripts/vulncheck.sh

demo: ## the main job once, on measured decisions
	go run ./cmd/dwcp-telemetry demo

test: ## all tests, on a real PostgreSQL
	go test ./...

proof: $(PACKAGES) ## what pandas, pyarrow, DuckDB, scikit-learn and mlcroissant make of an export
	DWCP_PYTHON=$(CURDIR)/$(VENV)/bin/python go test -count=1 -v -run 'UsersTools|TheProof|ScikitLearn' ./trainingset/learn

# A copy says what is installed.
$(PACKAGES): scripts/requirements.txt
	python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $< || { \
		echo "The Python packages of $< cannot be had from the package registry that pip is set up for (see above):" >&2; \
		echo "without them the proof with the users' tools (scripts/prove_*.py) cannot be made." >&2; exit 1; }
	cp $< $@

faults: ## the whole fault campaign, 17 minutes; writes e2e/faults/RESULTS.md
	DWCP_FAULTS=full go test -count=1 -timeout 60m ./e2e/faults

race: ## the tests of what runs concurrently, with the race detector
	go test -race $(RACE)
	go test -race -run 'Viewer|Poll|Stream|Slow|Door|Read|Cookie|Token' ./internal/dashboard # the rest looks at the page in a browser
	go test -race -run 'MayBeUsedByMany|CountsWhatIsAdded|Thread' ./instrumentation/measure # the rest runs alone

images-check: ## both container images, built twice by buildah, held to what they promise (as root)
	bash scripts/check_images.sh

cross: ## what DWCP imports, and everything, with its tests, compiled for systems that CI does not run on
	GOOS=windows go vet ./decision/... ./instrumentation/...
	GOOS=darwin GOARCH=arm64 go vet ./...

lint: $(GOLANGCI_LINT) ## golangci-lint, go vet included
	$(GOLANGCI_LINT) run ./...

# Installed apart, so that go.mod does not get its dependencies.
$(GOLANGCI_LINT):
	GOBIN=$(CURDIR)/$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

generate: ## docs/event.md and what mdatagen makes of each metadata.yaml
	go generate ./...

tidy: ## say what go mod tidy would change
	go mod tidy -diff

check: ## all that CI checks
	bash .ci/run

bench: ## how fast decisions get into PostgreSQL, and what that costs: writes bench/RESULTS.md
	go run ./bench

bench-long: ## the same with large and many partitions, several collectors, and over time: writes bench/RESULTS-long.md
	go run ./bench -long

bench-tiers: ## what a decision costs at an agent, at a gateway and between them: writes bench/RESULTS-tiers.md
	go run ./bench -tiers

bench-cost: ## what one decision costs at every station: writes internal/capacity/costs.json and docs/scaling.md
	go run ./bench -cost
	go generate ./internal/capacity

# Any profile does, also an old one: it only says what to inline. A new one has all of the collector compiled anew, everywhere.
profile: ## build/default.pgo, by which the collector is compiled: where its time goes at full speed
	go run ./bench -only 'acknowledged on commit' -rounds 1 -rows 2000000 -collector-flags \
	    '--set=extensions.pprof.endpoint=127.0.0.1:0 --set=extensions.pprof.save_to_file=$(CURDIR)/build/default.pgo --set=service.extensions=[health_check,pprof]'

bench-go: ## the benchmarks beside the code
	go test -run '^$$' -bench . -benchmem ./...

# Without a bound the fuzzer spends its time on making the first find small.
fuzz: ## fuzz what reads foreign bytes for a while
	go test -run '^$$' -fuzz '^FuzzDecode$$' -fuzztime 10s -fuzzminimizetime 1x ./internal/decisionlog
	go test -run '^$$' -fuzz '^FuzzUnmarshal$$' -fuzztime 5s -fuzzminimizetime 1x ./exporter/pgtelemetry
	go test -run '^$$' -fuzz '^FuzzLoadNeverPanics$$' -fuzztime 5s -fuzzminimizetime 1x ./instrumentation/measure
	go test -run '^$$' -fuzz '^FuzzPriorsStayValid$$' -fuzztime 5s -fuzzminimizetime 1x ./instrumentation/measure
	go test -run '^$$' -fuzz '^FuzzDescribe$$' -fuzztime 5s -fuzzminimizetime 1x ./internal/decisionlog
	go test -run '^$$' -fuzz '^FuzzWireSaysWhatPdataSays$$' -fuzztime 5s -fuzzminimizetime 1x ./internal/decisionwire
	go test -run '^$$' -fuzz '^FuzzAnyDecisionIsEncoded$$' -fuzztime 5s -fuzzminimizetime 1x ./instrumentation
	go test -run '^$$' -fuzz '^FuzzReadNeverPanics$$' -fuzztime 5s -fuzzminimizetime 1x ./internal/sample
	go test -run '^$$' -fuzz '^FuzzValidateNeverPanics$$' -fuzztime 5s -fuzzminimizetime 1x ./trainingset/validate
	go test -run '^$$' -fuzz '^FuzzStreamNeverPanics$$' -fuzztime 5s -fuzzminimizetime 1x ./trainingset/export

clean: ## remove what was built; .dwcp with the demo's data stays
	rm -rf bin dist
	find build -mindepth 1 -not -name default.pgo -delete
