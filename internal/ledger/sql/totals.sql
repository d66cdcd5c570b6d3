-- One statement, so that the sums and the maps are of the same moment. Batches
-- of nothing may hold null where an object is meant. Correcting rows (of another
-- kind than 'load') count in the sums, not as batches. The array is the labels,
-- word by word: taking a map apart costs ten times as much.
WITH ledger AS (
    SELECT kind, batches, received, written, duplicate, conflict, rejected, removed, candidates, newest, committed_at, labels, rejected_by_reason
    FROM public.compression_telemetry_batches
), by_reason AS (
    SELECT reason.key AS reason, sum(reason.value::bigint)::bigint AS rejected
    FROM ledger,
         jsonb_each_text(CASE jsonb_typeof(rejected_by_reason) WHEN 'object' THEN rejected_by_reason ELSE '{}' END) AS reason
    WHERE rejected_by_reason <> '{}'
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
       ARRAY[%s]
FROM ledger
