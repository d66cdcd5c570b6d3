-- What was committed in each of the $2 full spans of length $1 before now; spans
-- without a batch are left out. What folding makes one row of lies within one
-- span: it has the time of its last batch.
SELECT date_bin($1::interval, committed_at, 'epoch'::timestamptz) + $1::interval,
       sum(written)::bigint,
       sum(candidates)::bigint,
       sum(rejected)::bigint,
       sum(duplicate)::bigint
FROM public.compression_telemetry_batches
WHERE kind = 'load'
  AND committed_at >= date_bin($1::interval, now(), 'epoch'::timestamptz) - $1::interval * $2::int
  AND committed_at < date_bin($1::interval, now(), 'epoch'::timestamptz)
GROUP BY 1
ORDER BY 1
