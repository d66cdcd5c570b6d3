// Package e2etest holds what all tests of the whole share: the built collector,
// decisions as DWCP makes them, and what the table must hold of each.
package e2etest
