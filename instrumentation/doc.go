// Package instrumentation is what DWCP imports: a [Recorder] that takes each
// decision between HDE and AMST on the path of a transfer, and delivers it in
// the background.
//
//	recorder, err := instrumentation.FromEnv(ctx)   // at start
//	recorder.Record(ctx, &d)                        // at each decision
//	err = recorder.Shutdown(ctx)                    // at exit
//
// [FromEnv] sends OTLP/gRPC by itself, as the environment says. [New] hands log
// records to a log.LoggerProvider that the process has already.
//
// # What it promises
//
//   - [Recorder.Record] copies and returns. It does no I/O, waits for nothing but
//     a lock held for the time of a copy, allocates nothing, returns no error and
//     does not panic: not on a nil Recorder, a nil decision, after Shutdown, nor
//     with the collector away. The caller may use its Decision again at once.
//   - Memory is bounded: the ring, and four requests of at most 512 decisions.
//     A full ring loses the newest decision and counts it.
//   - What is in the ring is sent again until the collector takes or refuses it,
//     however long that lasts, or until Shutdown's deadline. A decision keeps
//     its EventID, so that one sent twice is stored once.
//   - No loss is silent: [Stats] and the metrics count each kind, and a gap in the
//     sequence numbers of a Recorder shows drops, and crashes, at the other end.
//   - Which requests are sampled depends on the request id alone: XXH64 of it,
//     the upper 53 bits as a number in [0, 1), below the ratio. All hosts take
//     the same ones, and a higher ratio only adds.
//   - No header, and so no token, appears in an error.
//
// # What it never does
//
// It starts no more than one worker and four requests, labels nothing, checks no
// rule of the event (the collector does, and keeps what breaks one), keeps
// nothing on disk, and imports of the collector nothing but pdata. What waits
// in memory when the process dies is lost. With [New] the resource, and with it
// Environment and EmitterVersion, is the LoggerProvider's; so is all delivery,
// and flushing it after Shutdown.
//
// # Environment of FromEnv
//
// An empty variable is an unset one. Of OTEL_EXPORTER_OTLP_X and
// OTEL_EXPORTER_OTLP_LOGS_X the latter wins.
//
//	DWCP_TELEMETRY_ENABLED           true or false; true
//	DWCP_TELEMETRY_SAMPLING_RATIO    0..1; 1
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
//	                                 PEM files for mutual TLS
//
// # Metrics
//
// Counters, in {decision}, without attributes:
//
//	dwcp.telemetry.decisions.recorded      taken into the ring
//	dwcp.telemetry.decisions.dropped       lost because the ring was full
//	dwcp.telemetry.decisions.sampled_out   left out by the sampling ratio
//	dwcp.telemetry.decisions.sent          acknowledged, or handed to the LoggerProvider
//	dwcp.telemetry.decisions.refused       lost because the collector would not take them
//
// Histograms, by dwcp.actual.algorithm (HDE, AMST, unknown) and
// dwcp.network.link_type (dc, metro, wan, edge, other), of valid values only:
//
//	dwcp.decision.latency             ms   the way used, to the receiver's acknowledgement
//	dwcp.decision.compression_ratio   1    HDE's, whether used or a shadow run
//	dwcp.decision.payload.size        By   raw
package instrumentation
