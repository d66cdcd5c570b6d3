// Package lint holds the project to its house rules by ordinary tests: who may
// import whom, how long files and functions get, and what no file may mention.
// What golangci-lint can check is in .golangci.yml instead.
package lint
