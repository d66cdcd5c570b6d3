-- A resend of the same bad event meets its own digest and changes nothing. Only
-- where it is a replay's (dwcp-telemetry rejected replay) is it noted that it was
-- rejected again, and for what. Counted, by the rows returned, are those added.
WITH came AS (
    SELECT digest, event_id::uuid, event_time, reason, nullif(field, '') AS field, nullif(sqlstate, '') AS sqlstate, detail, original, truncated
    FROM unnest($1::bytea[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bool[])
        AS r (digest, event_id, event_time, reason, field, sqlstate, detail, original, truncated)
), added AS (
    INSERT INTO public.compression_telemetry_rejected
        (digest, event_id, event_time, reason, field, sqlstate, detail, original, truncated)
    SELECT digest, event_id, event_time, reason, field, sqlstate, detail, original, truncated FROM came
    ON CONFLICT (digest) DO NOTHING
    RETURNING digest
), again AS (
    UPDATE public.compression_telemetry_rejected AS r
    SET rejected_again_at = clock_timestamp(), reason = came.reason, field = came.field, sqlstate = came.sqlstate, detail = came.detail
    FROM came
    WHERE r.digest = came.digest AND r.replayed_at IS NOT NULL
      AND (r.rejected_again_at IS NULL OR r.rejected_again_at < r.replayed_at)
)
SELECT digest FROM added
