// Package collector builds the project's collector distribution with ocb and
// runs it as a process, for the demo and for the end-to-end tests.
//
// Secrets go to the process by its environment, never by its command line. A
// process is stopped with its Stop, with the context it was started under, and,
// unless it shall outlive its parent, with its parent.
package collector
