-- Which ids of keys the table knows, and from when to when: by the first and the
-- last decision of each partition, and by some on the way. A lateral look-up in
-- each is one step in its primary key. When they arrived counts: a replay may bring
-- decisions that are older than the key.
WITH bounds AS (
    SELECT greatest(lower, '2000-01-01') AS lower, least(upper, now() + interval '1 year') AS upper
    FROM public.compression_telemetry_partitions()
), moments AS (
    SELECT generate_series(lower, upper, (upper - lower) / 8) AS moment, lower, upper FROM bounds WHERE upper > lower
), seen AS (
    SELECT found.* FROM moments, LATERAL (
        (SELECT vm_key_id, ingested_at FROM public.compression_telemetry
         WHERE timestamp >= moment AND timestamp < upper ORDER BY timestamp LIMIT 20)
        UNION ALL
        (SELECT vm_key_id, ingested_at FROM public.compression_telemetry
         WHERE timestamp >= lower AND timestamp < moment ORDER BY timestamp DESC LIMIT 20)) AS found
)
SELECT vm_key_id, min(ingested_at), max(ingested_at) FROM seen WHERE vm_key_id IS NOT NULL GROUP BY 1 ORDER BY 2
