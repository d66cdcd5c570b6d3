//go:build !linux

package measure

import "syscall"

// RawTCPRTT is not available on this system.
func RawTCPRTT(syscall.Conn) (RTT, error) { return RTT{}, errRTTNotAvailable }
