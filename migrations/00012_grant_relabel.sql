-- +goose Up
-- A maintainer makes labels anew: it reads what a label is made of, nothing that
-- tells whose a decision is, and writes the columns of label and quality, nothing
-- else. A test holds both lists to decision/fields.go.
GRANT SELECT (
    timestamp, event_id,
    link_type, region, network_tier, bandwidth_available_mbps, bandwidth_utilization, rtt_ms,
    payload_size, payload_type, entropy_estimate, repetition_score, has_baseline,
    hde_compression_ratio, hde_delta_hit_rate, hde_latency_ms, hde_cpu_usage,
    amst_stream_count, amst_transfer_rate_mbps, amst_latency_ms, amst_cpu_usage,
    hde_prior_compression_ratio, hde_prior_delta_hit_rate, hde_prior_latency_ms, hde_prior_cpu_usage,
    amst_prior_transfer_rate_mbps, amst_prior_latency_ms, amst_prior_cpu_usage, prior_samples,
    oracle_algorithm, oracle_utility_score, oracle_computation_time_ms, oracle_other_utility, oracle_version,
    is_training_candidate, quality_score, quality_flags
) ON compression_telemetry TO dwcp_maintainer;
GRANT UPDATE (
    oracle_algorithm, oracle_utility_score, oracle_computation_time_ms, oracle_other_utility, oracle_version,
    is_training_candidate, quality_score, quality_flags
) ON compression_telemetry TO dwcp_maintainer;

-- What that shifts in the ledger. SECURITY DEFINER: a maintainer may not write
-- there otherwise, and this takes and adds no rows.
-- +goose StatementBegin
CREATE FUNCTION correct_labels(candidates bigint, labels jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO public.compression_telemetry_batches
        (kind, received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason)
    VALUES ('relabel', 0, 0, 0, 0, 0, correct_labels.candidates, correct_labels.labels, '{}')
$$;
-- +goose StatementEnd
ALTER FUNCTION correct_labels(bigint, jsonb) OWNER TO dwcp_owner;
REVOKE ALL ON FUNCTION correct_labels(bigint, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION correct_labels(bigint, jsonb) TO dwcp_maintainer;

-- +goose Down
DROP FUNCTION correct_labels(bigint, jsonb);
REVOKE SELECT (
    timestamp, event_id,
    link_type, region, network_tier, bandwidth_available_mbps, bandwidth_utilization, rtt_ms,
    payload_size, payload_type, entropy_estimate, repetition_score, has_baseline,
    hde_compression_ratio, hde_delta_hit_rate, hde_latency_ms, hde_cpu_usage,
    amst_stream_count, amst_transfer_rate_mbps, amst_latency_ms, amst_cpu_usage,
    hde_prior_compression_ratio, hde_prior_delta_hit_rate, hde_prior_latency_ms, hde_prior_cpu_usage,
    amst_prior_transfer_rate_mbps, amst_prior_latency_ms, amst_prior_cpu_usage, prior_samples,
    oracle_algorithm, oracle_utility_score, oracle_computation_time_ms, oracle_other_utility, oracle_version,
    is_training_candidate, quality_score, quality_flags
) ON compression_telemetry FROM dwcp_maintainer;
REVOKE UPDATE (
    oracle_algorithm, oracle_utility_score, oracle_computation_time_ms, oracle_other_utility, oracle_version,
    is_training_candidate, quality_score, quality_flags
) ON compression_telemetry FROM dwcp_maintainer;
