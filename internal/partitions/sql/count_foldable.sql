-- How many rows of the ledger can be folded into how many.
SELECT coalesce(sum(n), 0)::bigint, count(*)
FROM (
    SELECT count(*) AS n
    FROM public.compression_telemetry_batches,
         LATERAL (SELECT CASE WHEN committed_at < $2 THEN '-infinity' ELSE date_trunc('hour', committed_at, 'UTC') END) AS span (hour)
    WHERE committed_at < date_trunc('hour', $1::timestamptz - interval '1 hour', 'UTC')
    GROUP BY kind, span.hour
    HAVING count(*) > 1 OR span.hour = '-infinity' AND bool_or(recorders <> '{}')
) AS foldable
