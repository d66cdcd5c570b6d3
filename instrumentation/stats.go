package instrumentation

// Stats counts decisions since the Recorder was built. Recorded is always
// Sent + Refused + Pending.
type Stats struct {
	Recorded   uint64 // taken into the ring
	Dropped    uint64 // lost because the ring was full
	SampledOut uint64 // left out by the sampling ratio
	Sent       uint64 // acknowledged by the collector, or handed to the LoggerProvider
	Refused    uint64 // lost because the collector would not take them
	Pending    uint64 // in the ring or under way
}

// Stats returns the counts of this moment.
func (r *Recorder) Stats() Stats {
	if r == nil || r.ring == nil {
		return Stats{}
	}
	// In this order Pending cannot come out below zero.
	sent, refused := r.ledger.counts()
	recorded, dropped := r.ring.counts()
	return Stats{
		Recorded:   recorded,
		Dropped:    dropped,
		SampledOut: r.sampledOut.Load(),
		Sent:       sent,
		Refused:    refused,
		Pending:    recorded - sent - refused,
	}
}
