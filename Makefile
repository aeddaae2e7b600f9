# Everything that is done to Bailiwick by hand is a target here.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# What uses the platform finds it where it runs.
AT = BAILIWICK_PORT_OFFSET=$${BAILIWICK_PORT_OFFSET:-$$(cat $${BAILIWICK_STATE:-.local}/run/offset)}
SERVICES := auth users authz tasks reports
MODULES = $(shell go list -m -f '{{.Dir}}')
LOCAL := go run ./deploy/local
# One set of build flags everywhere: another set is built all over again.
export CGO_ENABLED := 0
export TEMPORAL_CLI ?= $(shell command -v temporal || echo $(CURDIR)/.local/bin/temporal)

# Node is not needed to build or run anything: what needs it says that it is missing.
NPM := npm ping >/dev/null 2>&1
# What is missing is passed over, but not where all is to be tried, as in CI.
ALL_OR_NOT := test -z "$$BAILIWICK_TEST_ALL"

.PHONY: help setup up down status logs demo test check fmt-check vet lint boundaries race stale lint-openapi breaking bench openapi fmt

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'
	@echo
	@echo "  Ports can be moved: BAILIWICK_PORT_GATEWAY=9080 make up, or all: BAILIWICK_PORT_OFFSET=500 make up (deploy/local/platform.go)"

setup: ## install what is missing (PostgreSQL, NGINX, the Temporal CLI, what tests read files with)
	@TEMPORAL_CLI= $(LOCAL) setup

up: ## start the whole platform in the background, wait until it is healthy
	@TEMPORAL_CLI= $(LOCAL) up

down: ## stop it; the data stay in .local
	@$(LOCAL) down

status: ## show what runs where
	@$(LOCAL) status

logs: ## follow the logs
	@$(LOCAL) logs

demo: up ## start it and run a company's first day through it
	@$(AT) go run ./tests/cmd/demo

test: setup ## run every test of every module
	go test -count=1 -timeout 20m work
	@$(NPM) || echo "NOT TRIED: the TypeScript SDK, and openid-client at the auth service, for there is no npm, or no registry"
	@docker info >/dev/null 2>&1 || echo "NOT TRIED: the images, and the stores in a container, for no Docker engine answers"

check: fmt-check vet lint boundaries race stale lint-openapi breaking ## check format, code, boundaries, races, generated files and the API

fmt: ## format
	gofmt -w $(MODULES)

fmt-check:
	@out=$$(gofmt -l $(MODULES)); test -z "$$out" || { echo "not formatted (make fmt): $$out"; exit 1; }

vet:
	go vet work

lint:
	@GOWORK=off go -C tools build -o $(CURDIR)/.local/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@for m in $(MODULES); do echo "lint $${m#$(CURDIR)/}"; (cd $$m && $(CURDIR)/.local/bin/golangci-lint run --allow-parallel-runners --config $(CURDIR)/.golangci.yaml ./...) || exit 1; done

boundaries: ## build each module alone: a workspace hides what it may not import
	@for m in $(MODULES); do echo "boundaries $${m#$(CURDIR)/}"; (cd $$m && GOWORK=off go vet ./... && GOWORK=off go mod tidy -diff) || exit 1; done

race: ## let the race detector watch who decides while policies change
	@if command -v $${CC:-gcc} >/dev/null; then CGO_ENABLED=1 go test -race -count=1 ./adapters/gate ./adapters/casbin ./adapters/rounds; \
	else echo "there is no C compiler, which the race detector needs: races are not looked for"; fi

stale: openapi
	@git diff --exit-code --stat -- openapi || { echo "generated files are stale: commit what make openapi wrote"; exit 1; }

lint-openapi: ## hold the OpenAPI documents to the rules of Redocly and Spectral
	@if $(NPM); then cd tools/openapi && npm ci --silent --ignore-scripts --no-audit --no-fund \
		&& node_modules/.bin/redocly lint --config redocly.yaml ../../openapi/*.json \
		&& node_modules/.bin/spectral lint -r .spectral.yaml --fail-severity=warn '../../openapi/*.json'; \
	else echo "there is no npm, or no registry: the OpenAPI documents are not linted"; $(ALL_OR_NOT); fi

breaking: ## find what would break clients of the last release and was not accepted
	@GOWORK=off go -C tools build -o $(CURDIR)/.local/bin/oasdiff github.com/oasdiff/oasdiff
	@.local/bin/oasdiff breaking --fail-on ERR --err-ignore openapi/released/accepted.txt openapi/released/openapi.json openapi/openapi.json

bench: up ## measure, beside the limit of each figure, in one run
	@$(AT) go run ./tests/cmd/bench

openapi: ## write the OpenAPI documents and the SDKs anew
	@mkdir -p .local/bin && go build -o .local/bin/ $(SERVICES:%=./services/%)
	@for s in $(SERVICES); do .local/bin/$$s openapi > .local/$$s.json && mv .local/$$s.json openapi/$$s.json || exit 1; done
	@go run ./openapi/merge $(SERVICES:%=openapi/%.json) > .local/openapi.json && mv .local/openapi.json openapi/openapi.json
	@GOWORK=off go -C tools build -o $(CURDIR)/.local/bin/oapi-codegen github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen
	@cd openapi/sdk/go && go generate ./...
	@if $(NPM); then cd openapi/sdk/typescript && npm ci --silent --no-audit --no-fund && npm run --silent generate >/dev/null; else echo "there is no npm, or no registry: the TypeScript SDK stays as it is"; $(ALL_OR_NOT); fi
