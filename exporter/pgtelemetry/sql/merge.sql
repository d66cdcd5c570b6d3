-- The zero id stands for no Recorder: it is none, and a pgx that reads NULL needs
-- another type.
WITH written AS (
    INSERT INTO public.compression_telemetry (%[1]s)
    SELECT %[1]s FROM pg_temp.dwcp_merge ORDER BY timestamp, event_id
    ON CONFLICT (timestamp, event_id) DO NOTHING
    RETURNING link_type, oracle_algorithm, is_training_candidate, timestamp,
              coalesce(recorder_id, '00000000-0000-0000-0000-000000000000') AS recorder, recorder_sequence
)
SELECT link_type, oracle_algorithm, count(*), count(*) FILTER (WHERE is_training_candidate), max(timestamp),
       recorder, count(recorder_sequence), coalesce(max(recorder_sequence), 0)
FROM written
GROUP BY link_type, oracle_algorithm, recorder
