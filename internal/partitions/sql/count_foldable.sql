-- How many rows of the ledger can be folded into how many.
SELECT coalesce(sum(n), 0)::bigint, count(*)
FROM (
    SELECT count(*) AS n
    FROM public.compression_telemetry_batches,
         LATERAL (SELECT CASE WHEN committed_at < $2 THEN '-infinity'
                              WHEN committed_at < date_trunc('hour', $1::timestamptz - interval '1 hour', 'UTC') THEN date_trunc('hour', committed_at, 'UTC')
                              ELSE date_trunc('minute', committed_at, 'UTC') END) AS span (since)
    WHERE committed_at < date_trunc('minute', $1::timestamptz - interval '1 minute', 'UTC')
    GROUP BY kind, span.since
    HAVING count(*) > 1 OR span.since = '-infinity' AND bool_or(recorders <> '{}')
) AS foldable
