-- Bounds are only to be had as text in the session's style and zone. The zone's
-- abbreviation in it may mean another zone ("IST"): the cast to a timestamp
-- without zone drops it. A partition that was never analysed has reltuples -1;
-- the statistics collector then knows better. One dropped meanwhile has no size.
SELECT c.relname,
       bounds.part[1]::timestamp AT TIME ZONE current_setting('TimeZone'),
       bounds.part[2]::timestamp AT TIME ZONE current_setting('TimeZone'),
       (CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END)::bigint,
       coalesce(pg_total_relation_size(c.oid), 0)
FROM pg_inherits AS i
     JOIN pg_class AS c ON c.oid = i.inhrelid,
     LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)') AS bounds (part)
WHERE i.inhparent = to_regclass('public.compression_telemetry')
ORDER BY 2, 1
