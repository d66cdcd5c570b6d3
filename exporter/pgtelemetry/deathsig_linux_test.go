package pgtelemetry

import "syscall"

// dieWithParent has a program end with the test, however that ends.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
