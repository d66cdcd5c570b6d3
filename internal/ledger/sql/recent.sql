-- What was committed lately, by the database's clock: within a minute, an hour, a
-- day. The minute is exact, for no row so young is folded. What is older than an
-- hour or two stands there by the hour: the far end of the day is as coarse.
-- The last is since when in that day there were batches; NULL where there were
-- some before it, too.
SELECT now(),
       coalesce(sum(written) FILTER (WHERE committed_at > now() - interval '1 minute'), 0)::bigint,
       coalesce(sum(candidates) FILTER (WHERE committed_at > now() - interval '1 minute'), 0)::bigint,
       coalesce(sum(rejected) FILTER (WHERE committed_at > now() - interval '1 minute'), 0)::bigint,
       coalesce(sum(duplicate) FILTER (WHERE committed_at > now() - interval '1 minute'), 0)::bigint,
       coalesce(sum(written) FILTER (WHERE committed_at > now() - interval '1 hour'), 0)::bigint,
       coalesce(sum(candidates) FILTER (WHERE committed_at > now() - interval '1 hour'), 0)::bigint,
       coalesce(sum(rejected) FILTER (WHERE committed_at > now() - interval '1 hour'), 0)::bigint,
       coalesce(sum(duplicate) FILTER (WHERE committed_at > now() - interval '1 hour'), 0)::bigint,
       coalesce(sum(written), 0)::bigint,
       coalesce(sum(candidates), 0)::bigint,
       coalesce(sum(rejected), 0)::bigint,
       coalesce(sum(duplicate), 0)::bigint,
       CASE WHEN NOT EXISTS (SELECT FROM public.compression_telemetry_batches WHERE committed_at <= now() - interval '24 hours' AND kind = 'load')
            THEN min(committed_at) END
FROM public.compression_telemetry_batches
WHERE committed_at > now() - interval '24 hours' AND kind = 'load'
