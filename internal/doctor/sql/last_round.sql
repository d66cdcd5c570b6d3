-- Since when a round of maintenance is due: the first hour, of those that ended
-- more than two hours ago, with rows that a round would have made one. And when
-- the retention took something out last.
SELECT (SELECT min(last) FROM (
            SELECT max(committed_at) AS last FROM public.compression_telemetry_batches
            WHERE committed_at < date_trunc('hour', now() - interval '2 hours')
            GROUP BY kind, date_trunc('hour', committed_at) HAVING count(*) > 1) AS due),
       (SELECT max(committed_at) FROM public.compression_telemetry_batches WHERE kind = 'retention')
