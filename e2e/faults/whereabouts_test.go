package faults

// tellWhereabouts logs where decisions are that have not arrived, as far as anybody
// knows: a stop somewhere looks like a loss, and is mended elsewhere.
func (r *rig) tellWhereabouts() {
	for i, m := range r.collectors {
		r.Logf("collector %d: %.0f decisions in its queues", i, m.metric("otelcol_exporter_queue_size"))
	}
	for i, m := range r.gateways {
		r.Logf("gateway %d: %.0f decisions in its queues", i, m.metric("otelcol_exporter_queue_size"))
	}
	if r.kafka == nil {
		return
	}
	behind, err := r.uncommitted()
	r.Logf("%d messages of the topic are not committed (%v); %d gateways are in the group", behind, err, r.members())
}
