// Package deploy holds the tests of what deploy/ has for those who run this:
// compose file, systemd units, Kubernetes manifests. What they name is there, what
// they start takes its arguments and its environment, no secret is in sight,
// and what can be run without an engine is run as they say. It has no code of
// its own.
package deploy
