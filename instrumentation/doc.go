// Package instrumentation is what DWCP imports: a [Recorder] that takes each
// decision between HDE and AMST on the path of a transfer, and delivers it in
// the background.
//
//	recorder, err := instrumentation.FromEnv(ctx)   // at start
//	p := recorder.Begin(ctx, &d)                    // at each decision: what is known
//	p.HDE(run)                                      // what a run cost
//	p.Finish(result)                                // how it ended
//	err = recorder.Shutdown(ctx)                    // at exit
//
// A caller who has everything at once calls [Recorder.Record] instead.
// [FromEnv] sends OTLP/gRPC by itself, as the environment says. [New] hands log
// records to a log.LoggerProvider that the process has already.
//
// # What it promises
//
//   - [Recorder.Record] copies and returns. It does no I/O, takes no lock, allocates
//     nothing, returns no error and does not panic: not on a nil Recorder, a nil
//     decision, after Shutdown, nor with the collector away. The caller may use
//     its Decision again at once.
//   - [Recorder.Begin] and the methods of [Pending] promise the same, but for a lock
//     held for the time of a few copies and an allocation of 32 bytes, or 1 kB
//     where more are open than ever before. A decision goes out when it is finished and its
//     shadow run, if one was asked for, has ended; at its deadline, 5 minutes
//     after Begin; or at Shutdown. Deadlines are of the monotonic clock.
//   - Memory is bounded: the ring, 4096 open decisions, four requests of at most
//     512 decisions, five payloads for each shadow worker and, with a key, 8192
//     pseudonyms. A full ring loses the newest decision and counts it; of too many
//     open ones the oldest goes out as it is.
//   - What is in the ring is sent again until the collector takes or refuses it,
//     however long that lasts, or until Shutdown's deadline. A decision keeps
//     its EventID, so that one sent twice is stored once.
//   - No loss is silent: [Stats] and the metrics count each kind, and a gap in the
//     sequence numbers of a Recorder shows drops, and crashes, at the other end.
//   - Which requests are sampled depends on the request id alone: XXH64 of it,
//     the upper 53 bits as a number in [0, 1), below the ratio. All hosts take
//     the same ones, and a higher ratio only adds.
//   - Shadow runs never run on the caller's goroutine, no more at once than there
//     are workers, and in the long run within the [ShadowBudget].
//   - A panic in the background, in a shadow run or in a provider that was handed
//     in, is recovered and counted.
//   - With a key, no VM id leaves the process but as its pseudonym.
//   - No header, and so no token, appears in an error.
//
// # What it never does
//
// It starts no more goroutines than one worker, four requests, one for deadlines
// and the shadow workers (gRPC has some for its connection), labels nothing,
// checks no rule of the event (the collector does, and keeps what breaks one),
// keeps nothing on disk, and imports nothing of the collector. What waits
// in memory when the process dies is lost. With [New] the resource, and with it
// Environment and EmitterVersion, is the LoggerProvider's; so is all delivery,
// and flushing it after Shutdown.
//
// # Shadow runs
//
// A row is a training candidate only where both algorithms were measured, and
// DWCP uses one of them: the other has to be run only to be measured.
// [Pending.ShouldShadow] decides for which decisions. It is off unless told
// otherwise: SetShadowRatio, WithShadowRatio or DWCP_TELEMETRY_SHADOW_RATIO.
//
// What is measured must not depend on what it costs, or the training set is
// biased. So the request id alone chooses, by a hash that is independent of the
// sampling's; a budget is used up for all or for none (what is left of it
// decides, not the payload's size; what a run takes too much is paid off before
// the next one); only the largest payload is a hard limit: beyond it there are
// no candidates at all. A decision's probability to be a candidate is therefore
// SamplingRatio × the shadow ratio × the share of the chosen that the budget let
// through at the time, which the metric below shows, and which the table shows,
// too (docs/training-set.md). SamplingRatio itself stays the probability with
// which the decision was recorded, shadow or not. A run that is not done by the
// decision's deadline is missing for what it costs: keep "unfinished" near 0.
//
// A shadow run is best asked for when the way chosen has ended: beside it, each
// would slow the other, and both would be measured wrong.
//
// # Environment of FromEnv
//
// An empty variable is an unset one. Of OTEL_EXPORTER_OTLP_X and
// OTEL_EXPORTER_OTLP_LOGS_X the latter wins.
//
//	DWCP_TELEMETRY_ENABLED           true or false; true
//	DWCP_TELEMETRY_SAMPLING_RATIO    0..1; 1
//	DWCP_TELEMETRY_PENDING_TIMEOUT   after which an open decision goes out; 5m
//	DWCP_TELEMETRY_SHADOW_RATIO      0..1 of the recorded decisions; 0
//	DWCP_TELEMETRY_SHADOW_CPU_PERCENT
//	                                 of the machine, in the long run; 2
//	DWCP_TELEMETRY_SHADOW_BYTES_PER_SECOND
//	                                 of payload, in the long run; 16777216
//	DWCP_TELEMETRY_SHADOW_MAX_PAYLOAD_BYTES
//	                                 no shadow runs on larger ones; 67108864
//	DWCP_VM_ID_KEY, DWCP_VM_ID_KEY_FILE
//	                                 key of the VM pseudonyms, at least 32 bytes in hex,
//	                                 or a file that holds it; none: VM ids are sent as
//	                                 they are, and the collector replaces them
//	DWCP_VM_ID_KEY_ID                id of that key; k1
//	OTEL_SDK_DISABLED                true: record nothing, look at nothing else
//	OTEL_SERVICE_NAME                service.name
//	OTEL_RESOURCE_ATTRIBUTES         key=value,…; deployment.environment.name and
//	                                 service.version hold for every decision that
//	                                 has none of its own
//	OTEL_EXPORTER_OTLP_ENDPOINT      http://host:port in plaintext, https://host:port
//	                                 with TLS, host:port; http://localhost:4317
//	OTEL_EXPORTER_OTLP_INSECURE      true: plaintext, where the endpoint has no scheme
//	OTEL_EXPORTER_OTLP_PROTOCOL      grpc; no other is spoken
//	OTEL_EXPORTER_OTLP_HEADERS       key=value,…, percent-encoded
//	OTEL_EXPORTER_OTLP_TIMEOUT       of one attempt, in ms; 10000
//	OTEL_EXPORTER_OTLP_COMPRESSION   gzip or none; none
//	OTEL_EXPORTER_OTLP_CERTIFICATE   PEM file of the authorities to trust, instead of
//	                                 the system's
//	OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, OTEL_EXPORTER_OTLP_CLIENT_KEY
//	                                 PEM files for mutual TLS; these and the authorities
//	                                 are read again for each connection
//	DWCP_OTLP_TOKEN_FILE             file whose first word is sent as a bearer token, read
//	                                 again for each request; with TLS only
//
// A [Forwarder] reads those of OTEL_EXPORTER_OTLP_ and sends what is encoded
// already: for tools, such as the one that replays rejected decisions.
//
// # Metrics
//
// Counters without attributes:
//
//	dwcp.telemetry.decisions.recorded      taken into the ring
//	dwcp.telemetry.decisions.dropped       lost because the ring was full
//	dwcp.telemetry.decisions.sampled_out   left out by the sampling ratio
//	dwcp.telemetry.decisions.sent          acknowledged, or handed to the LoggerProvider
//	dwcp.telemetry.decisions.refused       lost because the collector would not take them
//	dwcp.telemetry.decisions.timed_out     recorded at their deadline, with what they had
//	dwcp.telemetry.decisions.evicted       recorded before it, because too many were open
//	dwcp.telemetry.misused                 calls on a Pending that came twice or too late
//	dwcp.telemetry.panics                  recovered in the background
//
// An up-down counter:
//
//	dwcp.telemetry.decisions.open          begun and not yet recorded
//
// A counter by dwcp.shadow.outcome, of the decisions for which ShouldShadow was
// asked: not_chosen, too_large, over_bytes, over_cpu or queue_full where it said
// no; completed, failed, panicked or unfinished (the decision had to go out
// first) where it said yes:
//
//	dwcp.telemetry.shadow.decisions        by what became of the question
//
// Histograms, by dwcp.actual.algorithm (HDE, AMST, unknown) and
// dwcp.network.link_type (dc, metro, wan, edge, other), of valid values only:
//
//	dwcp.decision.latency             ms   the way used, to the receiver's acknowledgement
//	dwcp.decision.compression_ratio   1    HDE's, whether used or a shadow run
//	dwcp.decision.payload.size        By   raw
package instrumentation
