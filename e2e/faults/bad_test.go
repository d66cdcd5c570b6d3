package faults

import "go.opentelemetry.io/collector/pdata/plog"

type badKind struct{ spoil func(plog.LogRecord) }

func (a *account) readRejected() {}
