package decision

import "time"

// fields is THE list: the plan's columns in the plan's order, then what was
// added, in the table's order.
var fields = []Field{
	required(Field{Column: "timestamp", SQLType: "timestamp with time zone", Place: RecordTimestamp, Role: RoleIdentity,
		Meaning: "time of the decision, in microseconds; never replaced by the time of arrival"},
		timeCodec, func(d *Decision) *time.Time { return &d.Timestamp }),
	text("dwcp.vm.id", "vm_id", atMost(64), RoleIdentity,
		"the VM; stored only as 64 hex digits of HMAC-SHA256", func(d *Decision) *string { return &d.VMID }),
	text("dwcp.request.id", "request_id", atMost(128), RoleIdentity,
		"the transfer; opaque", func(d *Decision) *string { return &d.RequestID }),
	optText("dwcp.session.id", "session_id", atMost(128), RoleIdentity,
		"the run of transfers it belongs to; opaque", func(d *Decision) *Opt[string] { return &d.SessionID }),

	word("dwcp.network.link_type", "link_type", 20, oneOf(DC, Metro, WAN, Edge), RoleContext,
		"class of the network path", func(d *Decision) *LinkType { return &d.LinkType }),
	text("dwcp.network.region", "region", atMost(20), RoleContext,
		"region of the sender", func(d *Decision) *string { return &d.Region }),
	integer("dwcp.network.tier", "network_tier", between(1, 3), RoleContext,
		"tier of the network, 1 the best", func(d *Decision) *int64 { return &d.NetworkTier }),
	number("dwcp.network.bandwidth_available_mbps", "bandwidth_available_mbps", "Mbit/s", above(0), RoleContext,
		"what the link offers DWCP when it decides, other traffic already off", func(d *Decision) *float64 { return &d.BandwidthAvailableMbps }),
	number("dwcp.network.bandwidth_utilization", "bandwidth_utilization", "%", between(0, 100), RoleContext,
		"share of the capacity in use just before the decision", func(d *Decision) *float64 { return &d.BandwidthUtilization }),
	number("dwcp.network.rtt_ms", "rtt_ms", "ms", atLeast(0), RoleContext,
		"round-trip time before the decision", func(d *Decision) *float64 { return &d.RTTMillis }),

	bigint("dwcp.payload.size", "payload_size", "byte", above(0).upTo(maxCount), RoleContext,
		"size of the raw payload", func(d *Decision) *int64 { return &d.PayloadBytes }),
	text("dwcp.payload.type", "payload_type", atMost(50), RoleContext,
		"what the payload is: vm_memory, vm_disk, database, …", func(d *Decision) *string { return &d.PayloadType }),
	optNumber("dwcp.payload.entropy_estimate", "entropy_estimate", "bit/byte", between(0, 8), RoleContext,
		"Shannon entropy of the payload's bytes", func(d *Decision) *Opt[float64] { return &d.EntropyEstimate }),
	optNumber("dwcp.payload.repetition_score", "repetition_score", "%", between(0, 100), RoleContext,
		"share of the payload that repeats", func(d *Decision) *Opt[float64] { return &d.RepetitionScore }),
	required(Field{Key: "dwcp.payload.has_baseline", Column: "has_baseline", SQLType: "boolean", Role: RoleContext,
		Meaning: "the receiver holds a baseline that HDE can make deltas against"},
		boolCodec, func(d *Decision) *bool { return &d.HasBaseline }),

	optNumber("dwcp.hde.compression_ratio", "hde_compression_ratio", "", above(0), RoleOutcome,
		"raw bytes over compressed bytes, of this run", func(d *Decision) *Opt[float64] { return &d.HDECompressionRatio }),
	optNumber("dwcp.hde.delta_hit_rate", "hde_delta_hit_rate", "%", between(0, 100), RoleOutcome,
		"share of blocks found in the baseline", func(d *Decision) *Opt[float64] { return &d.HDEDeltaHitRate }),
	optNumber("dwcp.hde.latency_ms", "hde_latency_ms", "ms", atLeast(0), RoleOutcome,
		"compression only, no transfer", func(d *Decision) *Opt[float64] { return &d.HDELatencyMillis }),
	optNumber("dwcp.hde.cpu_usage", "hde_cpu_usage", "%", between(0, 100), RoleOutcome,
		"share of the machine's CPU while HDE ran", func(d *Decision) *Opt[float64] { return &d.HDECPUUsage }),

	optional(Field{Key: "dwcp.amst.stream_count", Column: "amst_stream_count", SQLType: "integer", Rule: above(0).upTo(maxInteger), Role: RoleContext,
		Meaning: "TCP streams AMST is configured to use; known before the choice"},
		integerCodec, func(d *Decision) *Opt[int64] { return &d.AMSTStreamCount }),
	optNumber("dwcp.amst.transfer_rate_mbps", "amst_transfer_rate_mbps", "Mbit/s", atLeast(0), RoleOutcome,
		"rate achieved", func(d *Decision) *Opt[float64] { return &d.AMSTTransferRateMbps }),
	optNumber("dwcp.amst.latency_ms", "amst_latency_ms", "ms", atLeast(0), RoleOutcome,
		"first write to the receiver's acknowledgement, raw payload", func(d *Decision) *Opt[float64] { return &d.AMSTLatencyMillis }),
	optNumber("dwcp.amst.cpu_usage", "amst_cpu_usage", "%", between(0, 100), RoleOutcome,
		"share of the machine's CPU while AMST ran", func(d *Decision) *Opt[float64] { return &d.AMSTCPUUsage }),

	optWord("dwcp.oracle.algorithm", "oracle_algorithm", 10, oneOf(HDE, AMST), RoleLabel,
		"the algorithm the oracle picks", func(d *Decision) *Opt[Algorithm] { return &d.OracleAlgorithm }).late(),
	optNumber("dwcp.oracle.utility_score", "oracle_utility_score", "", between(0, maxUtility), RoleLabel,
		"the winner's utility", func(d *Decision) *Opt[float64] { return &d.OracleUtilityScore }).late(),
	optNumber("dwcp.oracle.computation_time_ms", "oracle_computation_time_ms", "ms", atLeast(0), RoleLabel,
		"what computing the label took", func(d *Decision) *Opt[float64] { return &d.OracleComputationMillis }),

	optWord("dwcp.actual.algorithm", "actual_algorithm", 10, oneOf(HDE, AMST), RoleActual,
		"the algorithm DWCP used", func(d *Decision) *Opt[Algorithm] { return &d.ActualAlgorithm }),
	optNumber("dwcp.actual.latency_ms", "actual_latency_ms", "ms", atLeast(0), RoleActual,
		"start of the chosen way to the receiver's acknowledgement", func(d *Decision) *Opt[float64] { return &d.ActualLatencyMillis }),
	optNumber("dwcp.actual.throughput_mbps", "actual_throughput_mbps", "Mbit/s", atLeast(0), RoleActual,
		"payload bits over that time", func(d *Decision) *Opt[float64] { return &d.ActualThroughputMbps }),

	optional(Field{Key: "dwcp.quality.training_candidate", Column: "is_training_candidate", SQLType: "boolean", Role: RoleQuality,
		Meaning: "no hard flag is set"},
		boolCodec, func(d *Decision) *Opt[bool] { return &d.TrainingCandidate }),
	optNumber("dwcp.quality.score", "quality_score", "", between(0, 1), RoleQuality,
		"1 minus the weight of every flag, at least 0", func(d *Decision) *Opt[float64] { return &d.QualityScore }),

	required(Field{Key: "log.record.uid", Column: "event_id", SQLType: "uuid", Role: RoleIdentity,
		Meaning: "UUIDv7 made by the emitter: a resend must not double a row"},
		uuidCodec, func(d *Decision) *UUID { return &d.EventID }),
	optText("deployment.environment.name", "environment", atMost(20), RoleProvenance,
		"staging must not mix with production", func(d *Decision) *Opt[string] { return &d.Environment }).resource(),
	optText("service.version", "emitter_version", atMost(32), RoleProvenance,
		"which DWCP made it", func(d *Decision) *Opt[string] { return &d.EmitterVersion }).resource(),

	optWord("dwcp.hde.source", "hde_source", 10, oneOf(Measured, Shadow), RoleProvenance,
		"HDE's values are of the way used, or of its shadow run; values without a source count as measured", func(d *Decision) *Opt[Source] { return &d.HDESource }),
	optWord("dwcp.amst.source", "amst_source", 10, oneOf(Measured, Shadow), RoleProvenance,
		"the same for AMST", func(d *Decision) *Opt[Source] { return &d.AMSTSource }),

	optNumber("dwcp.hde.prior.compression_ratio", "hde_prior_compression_ratio", "", above(0), RolePrior,
		"what was known of HDE's ratio before the choice", func(d *Decision) *Opt[float64] { return &d.HDEPriorCompressionRatio }),
	optNumber("dwcp.hde.prior.delta_hit_rate", "hde_prior_delta_hit_rate", "%", between(0, 100), RolePrior,
		"what was known of HDE's delta hit rate before the choice", func(d *Decision) *Opt[float64] { return &d.HDEPriorDeltaHitRate }),
	optNumber("dwcp.hde.prior.latency_ms", "hde_prior_latency_ms", "ms", atLeast(0), RolePrior,
		"what was known of HDE's latency before the choice", func(d *Decision) *Opt[float64] { return &d.HDEPriorLatencyMillis }),
	optNumber("dwcp.hde.prior.cpu_usage", "hde_prior_cpu_usage", "%", between(0, 100), RolePrior,
		"what was known of HDE's CPU share before the choice", func(d *Decision) *Opt[float64] { return &d.HDEPriorCPUUsage }),
	optNumber("dwcp.amst.prior.transfer_rate_mbps", "amst_prior_transfer_rate_mbps", "Mbit/s", atLeast(0), RolePrior,
		"what was known of AMST's rate before the choice", func(d *Decision) *Opt[float64] { return &d.AMSTPriorTransferRateMbps }),
	optNumber("dwcp.amst.prior.latency_ms", "amst_prior_latency_ms", "ms", atLeast(0), RolePrior,
		"what was known of AMST's latency before the choice", func(d *Decision) *Opt[float64] { return &d.AMSTPriorLatencyMillis }),
	optNumber("dwcp.amst.prior.cpu_usage", "amst_prior_cpu_usage", "%", between(0, 100), RolePrior,
		"what was known of AMST's CPU share before the choice", func(d *Decision) *Opt[float64] { return &d.AMSTPriorCPUUsage }),
	optBigint("dwcp.prior.samples", "prior_samples", atLeast(0).upTo(maxCount), RolePrior,
		"runs the priors are made of", func(d *Decision) *Opt[int64] { return &d.PriorSamples }),

	optWord("dwcp.actual.outcome", "actual_outcome", 10, oneOf(Success, Failure, Fallback), RoleActual,
		"how the way used ended: without it only survivors are seen", func(d *Decision) *Opt[Outcome] { return &d.ActualOutcome }),
	optNumber("dwcp.sampling.ratio", "sampling_ratio", "", above(0).upTo(1), RoleRecording,
		"probability with which this decision was recorded", func(d *Decision) *Opt[float64] { return &d.SamplingRatio }),
	optional(Field{Key: "dwcp.recorder.id", Column: "recorder_id", SQLType: "uuid", Role: RoleRecording,
		Meaning: "the Recorder, new with each start"},
		uuidCodec, func(d *Decision) *Opt[UUID] { return &d.RecorderID }),
	optBigint("dwcp.recorder.sequence", "recorder_sequence", atLeast(1).upTo(maxCount), RoleRecording,
		"1, 2, 3 … per Recorder, taken after sampling and before the ring: a gap is a loss", func(d *Decision) *Opt[int64] { return &d.RecorderSequence }),

	optText("dwcp.vm.key_id", "vm_key_id", atMost(16), RoleProvenance,
		"the key that vm_id was made with", func(d *Decision) *Opt[string] { return &d.VMKeyID }),
	optNumber("dwcp.oracle.other_utility", "oracle_other_utility", "", between(0, maxUtility), RoleLabel,
		"the loser's utility: margin and regret", func(d *Decision) *Opt[float64] { return &d.OracleOtherUtility }),
	optText("dwcp.oracle.version", "oracle_version", atMost(32), RoleLabel,
		"rule and parameters, so that labels can be remade", func(d *Decision) *Opt[string] { return &d.OracleVersion }),
	required(Field{Key: "dwcp.quality.flags", Column: "quality_flags", SQLType: "text[]", Role: RoleQuality,
		Meaning: "why the score is not 1; see the flags below"},
		flagsCodec, func(d *Decision) *Flags { return &d.QualityFlags }).nullable(),
}

func text(key, column string, r Rule, role Role, meaning string, at func(*Decision) *string) Field {
	return required(Field{Key: key, Column: column, SQLType: varchar(r.MaxLength), Rule: r, Role: role, Meaning: meaning}, textCodec[string](), at)
}

func optText(key, column string, r Rule, role Role, meaning string, at func(*Decision) *Opt[string]) Field {
	return optional(Field{Key: key, Column: column, SQLType: varchar(r.MaxLength), Rule: r, Role: role, Meaning: meaning}, textCodec[string](), at)
}

func word[T ~string](key, column string, width int, r Rule, role Role, meaning string, at func(*Decision) *T) Field {
	return required(Field{Key: key, Column: column, SQLType: varchar(width), Rule: r, Role: role, Meaning: meaning}, textCodec[T](), at)
}

func optWord[T ~string](key, column string, width int, r Rule, role Role, meaning string, at func(*Decision) *Opt[T]) Field {
	return optional(Field{Key: key, Column: column, SQLType: varchar(width), Rule: r, Role: role, Meaning: meaning}, textCodec[T](), at)
}

func number(key, column, unit string, r Rule, role Role, meaning string, at func(*Decision) *float64) Field {
	return required(Field{Key: key, Column: column, SQLType: "double precision", Unit: unit, Rule: r, Role: role, Meaning: meaning}, floatCodec, at)
}

func optNumber(key, column, unit string, r Rule, role Role, meaning string, at func(*Decision) *Opt[float64]) Field {
	return optional(Field{Key: key, Column: column, SQLType: "double precision", Unit: unit, Rule: r, Role: role, Meaning: meaning}, floatCodec, at)
}

func integer(key, column string, r Rule, role Role, meaning string, at func(*Decision) *int64) Field {
	return required(Field{Key: key, Column: column, SQLType: "integer", Rule: r, Role: role, Meaning: meaning}, integerCodec, at)
}

func bigint(key, column, unit string, r Rule, role Role, meaning string, at func(*Decision) *int64) Field {
	return required(Field{Key: key, Column: column, SQLType: "bigint", Unit: unit, Rule: r, Role: role, Meaning: meaning}, bigintCodec, at)
}

func optBigint(key, column string, r Rule, role Role, meaning string, at func(*Decision) *Opt[int64]) Field {
	return optional(Field{Key: key, Column: column, SQLType: "bigint", Rule: r, Role: role, Meaning: meaning}, bigintCodec, at)
}
