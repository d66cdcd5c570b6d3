-- One statement, so that the sums and the maps are of the same moment. Batches
-- of nothing may hold null where an object is meant. Correcting rows (of another
-- kind than 'load') count in the sums, not as batches.
WITH ledger AS (
    SELECT * FROM public.compression_telemetry_batches
), by_label AS (
    SELECT link.key AS link_type, label.key AS algorithm, sum(label.value::bigint)::bigint AS held
    FROM ledger,
         jsonb_each(CASE jsonb_typeof(labels) WHEN 'object' THEN labels ELSE '{}' END) AS link,
         jsonb_each_text(link.value) AS label
    GROUP BY 1, 2
    HAVING sum(label.value::bigint) <> 0 -- all of them may have been removed
), by_link AS (
    SELECT link_type, jsonb_object_agg(algorithm, held) AS labels FROM by_label GROUP BY 1
), by_reason AS (
    SELECT reason.key AS reason, sum(reason.value::bigint)::bigint AS rejected
    FROM ledger,
         jsonb_each_text(CASE jsonb_typeof(rejected_by_reason) WHEN 'object' THEN rejected_by_reason ELSE '{}' END) AS reason
    GROUP BY 1
)
SELECT coalesce(sum(batches) FILTER (WHERE kind = 'load'), 0)::bigint,
       coalesce(sum(received), 0)::bigint,
       coalesce(sum(written), 0)::bigint,
       coalesce(sum(duplicate), 0)::bigint,
       coalesce(sum(conflict), 0)::bigint,
       coalesce(sum(rejected), 0)::bigint,
       coalesce(sum(removed), 0)::bigint,
       coalesce(sum(candidates), 0)::bigint,
       max(newest),
       max(committed_at) FILTER (WHERE kind = 'load'),
       coalesce((SELECT jsonb_object_agg(reason, rejected) FROM by_reason), '{}'),
       coalesce((SELECT jsonb_object_agg(link_type, labels) FROM by_link), '{}')
FROM ledger
