WITH written AS (
    INSERT INTO public.compression_telemetry (%[1]s)
    SELECT %[1]s FROM pg_temp.dwcp_merge ORDER BY timestamp, event_id
    ON CONFLICT (timestamp, event_id) DO NOTHING
    RETURNING link_type, oracle_algorithm, is_training_candidate, timestamp
)
SELECT link_type, oracle_algorithm, count(*), count(*) FILTER (WHERE is_training_candidate), max(timestamp)
FROM written
GROUP BY link_type, oracle_algorithm
