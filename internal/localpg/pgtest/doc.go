// Package pgtest gives tests a real PostgreSQL and each test a database of its
// own. A package that uses it has
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
// One server per test process is started when the first test asks for it. It
// comes from where DWCP_POSTGRES says (auto, local or download). Where none can
// be had, the test fails and says what to install: it is never skipped, since a
// test that did not run looks like one that passed.
//
// It is not durable and never used outside tests.
package pgtest
