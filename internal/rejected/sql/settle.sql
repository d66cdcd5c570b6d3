-- What became of decisions that were sent again: in the table by now, which is
-- noted, or rejected again. The sub-select with LIMIT stays a look-up by key; as
-- a join it may become one with the whole table.
WITH written AS (
    UPDATE public.compression_telemetry_rejected AS r
    SET written_at = clock_timestamp()
    WHERE digest = ANY ($1) AND written_at IS NULL AND event_id IS NOT NULL AND event_time IS NOT NULL
      AND (SELECT true FROM public.compression_telemetry AS t WHERE t.timestamp = r.event_time AND t.event_id = r.event_id LIMIT 1)
    RETURNING digest
)
SELECT digest, true, '' FROM written
UNION ALL
SELECT digest, false, reason FROM public.compression_telemetry_rejected
WHERE digest = ANY ($1) AND rejected_again_at >= replayed_at AND digest NOT IN (SELECT digest FROM written)
