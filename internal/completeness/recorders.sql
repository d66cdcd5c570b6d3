-- Of each Recorder of the last $2, how many of its decisions came and how many
-- numbers it gave away in that time. For one that was there before, the numbers
-- count from where its first row in that time begins. Totals stand beside each of
-- the $1 that lost the most. MATERIALIZED: what a map holds is read once.
WITH entry AS MATERIALIZED (
    SELECT r.key AS recorder, (r.value ->> 'count')::bigint AS n, (r.value ->> 'last')::bigint AS last, b.committed_at
    FROM public.compression_telemetry_batches AS b,
         jsonb_each(CASE jsonb_typeof(b.recorders) WHEN 'object' THEN b.recorders ELSE '{}' END) AS r
    WHERE b.committed_at > now() - $2::interval
), recorder AS (
    SELECT recorder, sum(n)::bigint AS received, max(last) AS last, min(committed_at) FILTER (WHERE n > 0) AS since, max(committed_at) AS seen
    FROM entry
    GROUP BY 1
), first AS (
    SELECT recorder, min(last - n) AS before FROM (SELECT e.recorder, e.last, e.n FROM entry AS e JOIN recorder AS r ON r.recorder = e.recorder AND r.since = e.committed_at) AS f GROUP BY 1
), counted AS MATERIALIZED (
    SELECT recorder, received, seen,
           greatest(received, last - CASE WHEN before > 0 AND (
                SELECT true FROM public.compression_telemetry_batches AS b
                WHERE b.committed_at <= now() - $2::interval AND b.recorders ? recorder.recorder
                ORDER BY b.committed_at DESC LIMIT 1) THEN before ELSE 0 END) AS expected
    FROM recorder LEFT JOIN first USING (recorder)
)
SELECT recorder, received, expected, seen, count(*) OVER (), (sum(received) OVER ())::bigint, (sum(expected) OVER ())::bigint
FROM counted
ORDER BY expected - received DESC, recorder
LIMIT $1
