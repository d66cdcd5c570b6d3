-- One batch of folding: deletes up to $3 rows and inserts their sums, one of each
-- kind and span: minutes that ended more than a minute ago, and hours that ended
-- more than an hour ago. What is older than $2 belongs to no span, but all
-- together, and its Recorders are dropped: they are long gone. A row stays where
-- it is alone.
--
-- committed_at becomes that of the last one, so that the last commit stays what
-- it was.
WITH due AS (
    SELECT $2::timestamptz AS cutoff, date_trunc('hour', $1::timestamptz - interval '1 hour', 'UTC') AS hours,
           date_trunc('minute', $1::timestamptz - interval '1 minute', 'UTC') AS minutes
), foldable AS (
    SELECT kind, span.since
    FROM due, public.compression_telemetry_batches,
         LATERAL (SELECT CASE WHEN committed_at < cutoff THEN '-infinity'
                              WHEN committed_at < hours THEN date_trunc('hour', committed_at, 'UTC')
                              ELSE date_trunc('minute', committed_at, 'UTC') END) AS span (since)
    WHERE committed_at < minutes
    GROUP BY kind, span.since
    HAVING count(*) > 1 OR span.since = '-infinity' AND bool_or(recorders <> '{}')
    ORDER BY span.since, kind
    LIMIT 24
), bounds AS ( -- of each span, for the index
    SELECT kind, since,
           greatest(since, CASE WHEN since > '-infinity' THEN cutoff ELSE since END) AS lower,
           CASE WHEN since = '-infinity' THEN cutoff
                WHEN since < hours THEN least(hours, since + interval '1 hour')
                ELSE least(minutes, since + interval '1 minute') END AS upper
    FROM foldable, due
), folded AS (
    DELETE FROM public.compression_telemetry_batches AS b
    USING (
        SELECT member.id, f.since
        FROM bounds AS f
             JOIN public.compression_telemetry_batches AS member
                 ON member.kind = f.kind AND member.committed_at >= f.lower AND member.committed_at < f.upper
        ORDER BY f.since, f.kind, member.id
        LIMIT $3
    ) AS doomed
    WHERE b.id = doomed.id
    RETURNING b.*, doomed.since
), label AS (
    SELECT kind, since, link.key AS link_type, algorithm.key AS algorithm, sum(algorithm.value::bigint) AS n
    FROM folded,
         jsonb_each(CASE jsonb_typeof(labels) WHEN 'object' THEN labels ELSE '{}' END) AS link,
         jsonb_each_text(link.value) AS algorithm
    GROUP BY 1, 2, 3, 4
), link AS (
    SELECT kind, since, link_type, jsonb_object_agg(algorithm, n) AS algorithms FROM label GROUP BY 1, 2, 3
), labels AS (
    SELECT kind, since, jsonb_object_agg(link_type, algorithms) AS labels FROM link GROUP BY 1, 2
), reason AS (
    SELECT kind, since, each.key AS reason, sum(each.value::bigint) AS n
    FROM folded,
         jsonb_each_text(CASE jsonb_typeof(rejected_by_reason) WHEN 'object' THEN rejected_by_reason ELSE '{}' END) AS each
    GROUP BY 1, 2, 3
), reasons AS (
    SELECT kind, since, jsonb_object_agg(reason, n) AS reasons FROM reason GROUP BY 1, 2
), recorder AS (
    SELECT kind, since, each.key AS recorder, sum((each.value ->> 'count')::bigint) AS count, max((each.value ->> 'last')::bigint) AS last
    FROM folded,
         jsonb_each(CASE jsonb_typeof(recorders) WHEN 'object' THEN recorders ELSE '{}' END) AS each
    WHERE since <> '-infinity'
    GROUP BY 1, 2, 3
), recorders AS (
    SELECT kind, since, jsonb_object_agg(recorder, jsonb_build_object('count', count, 'last', last)) AS recorders FROM recorder GROUP BY 1, 2
), inserted AS (
    INSERT INTO public.compression_telemetry_batches
        (committed_at, kind, batches, received, written, duplicate, conflict, rejected, removed, candidates, newest,
         labels, rejected_by_reason, recorders)
    SELECT max(committed_at), kind, sum(batches), sum(received), sum(written), sum(duplicate), sum(conflict), sum(rejected),
           sum(removed), sum(candidates), max(newest),
           coalesce((SELECT l.labels FROM labels AS l WHERE l.kind = f.kind AND l.since = f.since), '{}'),
           coalesce((SELECT r.reasons FROM reasons AS r WHERE r.kind = f.kind AND r.since = f.since), '{}'),
           coalesce((SELECT r.recorders FROM recorders AS r WHERE r.kind = f.kind AND r.since = f.since), '{}')
    FROM folded AS f
    GROUP BY kind, since
    RETURNING 1
)
SELECT (SELECT count(*) FROM folded), (SELECT count(*) FROM inserted)
