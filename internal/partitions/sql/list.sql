-- A partition that was never analysed has reltuples -1; the statistics collector
-- then knows better. One dropped meanwhile has no size. What is named like a
-- partition but is none stands in the way of making it anew.
SELECT c.relname,
       CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname END,
       nullif(p.lower, '-infinity'),
       nullif(p.upper, 'infinity'),
       CASE WHEN p.detach_pending THEN 'detach pending' ELSE 'attached' END,
       coalesce(obj_description(c.oid, 'pg_class') = $1, false),
       (CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END)::bigint,
       coalesce(pg_total_relation_size(c.oid), 0)
FROM public.compression_telemetry_partitions() AS p
     JOIN pg_class AS c ON c.oid = p.partition
     JOIN pg_namespace AS n ON n.oid = c.relnamespace
UNION ALL
SELECT c.relname,
       '',
       NULL,
       NULL,
       CASE WHEN obj_description(c.oid, 'pg_class') = $1 THEN 'detached' ELSE 'not attached' END,
       coalesce(obj_description(c.oid, 'pg_class') = $1, false),
       (CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END)::bigint,
       coalesce(pg_total_relation_size(c.oid), 0)
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
  AND c.relname ~ '^compression_telemetry_(\d{6}|\d{4}w\d\d|\d{8})(_from_\d{8}(t\d{12})?)?$'
ORDER BY 3 NULLS LAST, 1
