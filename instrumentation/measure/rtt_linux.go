package measure

import (
	"errors"
	"fmt"
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/novacron/dwcp-telemetry/decision"
)

// RawTCPRTT is [TCPRTT] for what has a file descriptor and is no net.Conn.
func RawTCPRTT(conn syscall.Conn) (RTT, error) {
	if isNil(conn) {
		return RTT{}, errRTTNotAvailable
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return RTT{}, fmt.Errorf("read TCP_INFO: %w", err)
	}
	var info *unix.TCPInfo
	var infoErr error
	if err := raw.Control(func(fd uintptr) {
		info, infoErr = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); err != nil {
		return RTT{}, fmt.Errorf("read TCP_INFO: %w", err)
	}
	switch {
	case errors.Is(infoErr, unix.EOPNOTSUPP), errors.Is(infoErr, unix.ENOPROTOOPT), errors.Is(infoErr, unix.ENOTSOCK), errors.Is(infoErr, unix.EINVAL):
		return RTT{}, errRTTNotAvailable // not TCP
	case infoErr != nil:
		return RTT{}, fmt.Errorf("read TCP_INFO: %w", infoErr)
	case info.Rtt == 0:
		return RTT{}, errRTTNotAvailable // nothing acknowledged yet
	}
	return rttOf(info), nil
}

func rttOf(info *unix.TCPInfo) RTT {
	rtt := RTT{SmoothedMillis: millisOfMicros(info.Rtt), VarianceMillis: millisOfMicros(info.Rttvar)}
	if info.Min_rtt != 0 && info.Min_rtt != math.MaxUint32 { // the kernel's "none yet"
		rtt.MinMillis = decision.Some(millisOfMicros(info.Min_rtt))
	}
	return rtt
}

func millisOfMicros(micros uint32) float64 { return float64(micros) / 1000 }
