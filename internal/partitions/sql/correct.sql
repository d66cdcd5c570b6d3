-- The correcting row of the ledger for rows that go, and how many they are. Where
-- there are none there is no row.
%[1]s by_label AS (
    SELECT link_type, oracle_algorithm, count(*) AS n, count(*) FILTER (WHERE is_training_candidate) AS candidates
    FROM %[2]s
    GROUP BY 1, 2
), by_link AS (
    SELECT link_type, jsonb_object_agg(oracle_algorithm, -n) AS labels, sum(n) AS n, sum(candidates) AS candidates
    FROM by_label
    GROUP BY 1
), correction AS (
    INSERT INTO public.compression_telemetry_batches
        (kind, received, written, duplicate, conflict, rejected, removed, candidates, labels, rejected_by_reason)
    SELECT '%[3]s', 0, 0, 0, 0, 0, sum(n), -sum(candidates), jsonb_object_agg(link_type, labels), '{}'
    FROM by_link
    HAVING count(*) > 0
    RETURNING removed
)
SELECT coalesce((SELECT removed FROM correction), 0)
