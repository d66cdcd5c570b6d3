-- What there is under one name; $2 is what the originals hold.
SELECT (SELECT count(*) FROM public.compression_telemetry WHERE vm_id = $1),
       (SELECT min(timestamp) FROM public.compression_telemetry WHERE vm_id = $1),
       (SELECT max(timestamp) FROM public.compression_telemetry WHERE vm_id = $1),
       (SELECT count(*) FROM public.compression_telemetry_rejected AS r
        WHERE EXISTS (SELECT FROM unnest($2::bytea[]) AS p (pattern) WHERE position(p.pattern IN r.original) > 0))
