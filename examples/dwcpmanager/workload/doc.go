// Package workload makes VMs and has a manager move them again and again: what
// a fleet would do to DWCP, small enough for one machine.
//
// The payloads are real bytes. Memory is made of pages as they are found in
// memory, machine code of this very program among them; a database's pages hold
// rows in order of their keys; encrypted data is encrypted. From round to round a
// known part of the pages changes, so that baselines are worth what they are
// worth in life.
package workload
