// Package browsertest has tests look at pages in a real, headless Chromium.
//
//	func TestMain(m *testing.M) { os.Exit(browsertest.With(m).Run()) }
//
// One browser per test process is started when the first test asks for it; each
// tab has cookies of its own. Where there is no browser the test is skipped, with
// the command that installs one; where CI is set it fails.
package browsertest
