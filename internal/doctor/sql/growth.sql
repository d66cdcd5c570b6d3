-- Size of the database, size and rows of the partitions, and what a day brought.
SELECT pg_database_size(current_database()),
       coalesce(sum(pg_total_relation_size(p.partition)), 0)::bigint,
       coalesce(sum(CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END), 0)::bigint,
       (SELECT coalesce(sum(written), 0)::bigint FROM public.compression_telemetry_batches
        WHERE kind = 'load' AND committed_at > now() - interval '24 hours')
FROM public.compression_telemetry_partitions() AS p JOIN pg_class AS c ON c.oid = p.partition
