package measure

import (
	"errors"
	"net"
	"reflect"
	"syscall"

	"github.com/novacron/dwcp-telemetry/decision"
)

// ErrNotAvailable says that this cannot be measured here: not on this system, or
// not on this kind of connection.
var ErrNotAvailable = errors.New("not available")

// RTT is the round-trip time of a TCP connection as the kernel knows it, in ms.
type RTT struct {
	// SmoothedMillis is the moving average of RFC 6298: it holds what queues add
	// at the moment, own traffic included.
	SmoothedMillis float64
	// VarianceMillis is RFC 6298's RTTVAR, a smoothed mean deviation.
	VarianceMillis float64
	// MinMillis is the smallest of the last minutes (Linux: net.ipv4.tcp_min_rtt_wlen,
	// 300 s): the path without its queues. Missing on kernels before 4.6.
	MinMillis decision.Opt[float64]
}

// Path is what comes closest to the path's own round-trip time: the smallest one
// seen, else the smoothed one.
func (r RTT) Path() float64 {
	if r.MinMillis.Set {
		return r.MinMillis.Value
	}
	return r.SmoothedMillis
}

// TCPRTT asks the kernel for the RTT of a live connection, looking through
// wrappers like tls.Conn that have a NetConn method. It sends nothing. The error
// is [ErrNotAvailable] on other systems than Linux, for what is no TCP, and
// before the first RTT has been measured.
func TCPRTT(conn net.Conn) (RTT, error) {
	for range maxWrappers {
		if isNil(conn) {
			break
		}
		if raw, ok := conn.(syscall.Conn); ok {
			return RawTCPRTT(raw)
		}
		wrapper, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = wrapper.NetConn()
	}
	return RTT{}, errRTTNotAvailable
}

// maxWrappers is more than anyone nests, and ends a wrapper that wraps itself.
const maxWrappers = 16

var errRTTNotAvailable = notAvailable("RTT of a connection")

func isNil(conn any) bool {
	if conn == nil {
		return true
	}
	v := reflect.ValueOf(conn)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

type unavailable struct{ what string }

func notAvailable(what string) error       { return unavailable{what} }
func (u unavailable) Error() string        { return u.what + ": " + ErrNotAvailable.Error() }
func (u unavailable) Is(target error) bool { return target == ErrNotAvailable }
