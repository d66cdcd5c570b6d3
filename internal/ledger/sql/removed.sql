-- What left the table, by why.
SELECT kind, sum(removed)::bigint, max(committed_at)
FROM public.compression_telemetry_batches
WHERE removed > 0
GROUP BY kind
