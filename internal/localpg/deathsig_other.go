//go:build !linux

package localpg

import "syscall"

// dieWithParent does nothing: only Linux has it. A server whose owner was killed
// is found by the next start on its data folder, or by the sweep.
func dieWithParent(*syscall.SysProcAttr) {}
