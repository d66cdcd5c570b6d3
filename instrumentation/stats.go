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

	Open     uint64 // begun, and not yet recorded
	TimedOut uint64 // recorded at the deadline of a Pending, with what it had
	Evicted  uint64 // recorded before that, because too many were open
	Misused  uint64 // calls on a Pending that came twice or too late
	Panics   uint64 // recovered in the background

	Shadow ShadowStats
}

// ShadowStats counts what became of the decisions for which ShouldShadow was
// asked: the first five were not to be run, and why, the others were.
type ShadowStats struct {
	NotChosen uint64 // by the ratio
	TooLarge  uint64 // the payload
	OverBytes uint64 // the budget of bytes per second was used up
	OverCPU   uint64 // the budget of CPU was used up
	QueueFull uint64 // too many runs were waiting

	Completed  uint64 // measured
	Failed     uint64 // returned an error
	Panicked   uint64 // panicked, or ended its goroutine
	Unfinished uint64 // not there when its decision had to go out
}

// Stats returns the counts of this moment.
func (r *Recorder) Stats() Stats {
	if r == nil || r.ring == nil {
		return Stats{}
	}
	// In this order Pending cannot come out below zero, and no decision is missed
	// on its way from open to recorded.
	open := r.open.stats()
	sent, refused := r.ledger.counts()
	recorded, dropped := r.ring.counts()
	return Stats{
		Recorded:   recorded,
		Dropped:    dropped,
		SampledOut: r.sampledOut.Load(),
		Sent:       sent,
		Refused:    refused,
		Pending:    recorded - sent - refused,
		Open:       open.open,
		TimedOut:   open.timedOut,
		Evicted:    open.evicted,
		Misused:    open.misused,
		Panics:     r.report.panics.Load(),
		Shadow:     r.shadows.stats(),
	}
}
