// Package monitoring holds the tests of deploy/prometheus and deploy/grafana: what
// they name is there, in the collector that ocb built and in a migrated database,
// and Prometheus itself reads the rules and answers the panels. It has no code of
// its own.
package monitoring
