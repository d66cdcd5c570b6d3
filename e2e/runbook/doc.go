// Package runbook runs docs/runbook.md: every block of commands, in the page's
// order and in one shell, against a real PostgreSQL and the built collector, and
// holds what they print to what the page says.
package runbook
