-- A resend of the same bad event meets its own digest and adds nothing.
INSERT INTO public.compression_telemetry_rejected
    (digest, event_id, event_time, reason, field, sqlstate, detail, original, truncated)
SELECT digest, event_id::uuid, event_time, reason, nullif(field, ''), nullif(sqlstate, ''), detail, original, truncated
FROM unnest($1::bytea[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bool[])
    AS r (digest, event_id, event_time, reason, field, sqlstate, detail, original, truncated)
ON CONFLICT (digest) DO NOTHING
RETURNING reason
