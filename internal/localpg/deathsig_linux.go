package localpg

import "syscall"

// dieWithParent has the kernel send the child SIGINT when we end, however we
// end. To PostgreSQL that is a fast shutdown: clients go, data is flushed.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
