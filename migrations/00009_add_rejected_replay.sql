-- +goose Up
-- What became of a rejected decision later. A replay marks what it sends; the
-- exporter, where it rejects one of these again, says so and why; what has got
-- into the table is marked and no longer open. Nothing else ever changes a row:
-- a resend of the same bad event does not.
ALTER TABLE compression_telemetry_rejected
    ADD COLUMN replayed_at       timestamptz, -- the last time it was sent again
    ADD COLUMN rejected_again_at timestamptz, -- by the exporter, after that
    ADD COLUMN written_at        timestamptz, -- found in the table, by a replay
    ADD CONSTRAINT compression_telemetry_rejected_again CHECK (rejected_again_at IS NULL OR replayed_at IS NOT NULL);
COMMENT ON COLUMN compression_telemetry_rejected.replayed_at IS 'when it was last sent again';
COMMENT ON COLUMN compression_telemetry_rejected.rejected_again_at IS 'when a replay of it was rejected; reason, field, sqlstate and detail are of that time';
COMMENT ON COLUMN compression_telemetry_rejected.written_at IS 'when it was found in the table; NULL is open';
COMMENT ON COLUMN compression_telemetry_batches.kind IS 'load, or what corrects it: retention, forget, relabel, replay';

-- Those under replay are few: the exporter finds them without a look at the others.
CREATE INDEX compression_telemetry_rejected_replayed_idx ON compression_telemetry_rejected (digest) WHERE replayed_at IS NOT NULL;

-- What became of decisions that were sent again: in the table by now, which is
-- noted, or rejected again; nothing yet of those it does not return. The
-- sub-selects with LIMIT stay look-ups by key; as joins they may become one with
-- the whole table.
--
-- The ledger's `recorders` counts what is new, so it has counted twice what was
-- rejected and is written now: a row of the kind 'replay' takes one of the two
-- back.
--
-- SECURITY DEFINER: a maintainer may neither read decisions nor write into the
-- ledger.
-- +goose StatementBegin
CREATE FUNCTION settle_rejected(digests bytea[]) RETURNS TABLE (digest bytea, written boolean, reason text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
WITH found AS (
    UPDATE public.compression_telemetry_rejected AS r
    SET written_at = clock_timestamp()
    WHERE r.digest = ANY (digests) AND r.written_at IS NULL AND r.event_id IS NOT NULL AND r.event_time IS NOT NULL
      AND (SELECT true FROM public.compression_telemetry AS t WHERE t.timestamp = r.event_time AND t.event_id = r.event_id LIMIT 1)
    RETURNING r.digest, r.event_time, r.event_id
), twice AS (
    SELECT (SELECT t.recorder_id FROM public.compression_telemetry AS t WHERE t.timestamp = f.event_time AND t.event_id = f.event_id LIMIT 1) AS recorder, count(*) AS n
    FROM found AS f
    GROUP BY 1
), taken_back AS (
    INSERT INTO public.compression_telemetry_batches
        (kind, received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason, recorders)
    SELECT 'replay', 0, 0, 0, 0, 0, 0, '{}', '{}', jsonb_object_agg(recorder, jsonb_build_object('count', -n, 'last', 0))
    FROM twice
    WHERE recorder IS NOT NULL
    HAVING count(*) > 0
)
SELECT f.digest, true, '' FROM found AS f
UNION ALL
SELECT r.digest, false, r.reason FROM public.compression_telemetry_rejected AS r
WHERE r.digest = ANY (digests) AND r.rejected_again_at >= r.replayed_at AND r.digest NOT IN (SELECT f.digest FROM found AS f)
$$;
-- +goose StatementEnd
ALTER FUNCTION settle_rejected(bytea[]) OWNER TO dwcp_owner;
REVOKE ALL ON FUNCTION settle_rejected(bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settle_rejected(bytea[]) TO dwcp_maintainer;
GRANT UPDATE (replayed_at, rejected_again_at) ON compression_telemetry_rejected TO dwcp_maintainer;
GRANT UPDATE (rejected_again_at, reason, field, sqlstate, detail) ON compression_telemetry_rejected TO dwcp_writer;

-- +goose Down
REVOKE UPDATE (rejected_again_at, reason, field, sqlstate, detail) ON compression_telemetry_rejected FROM dwcp_writer;
REVOKE UPDATE (replayed_at, rejected_again_at) ON compression_telemetry_rejected FROM dwcp_maintainer;
DROP FUNCTION settle_rejected(bytea[]);
DROP INDEX compression_telemetry_rejected_replayed_idx;
COMMENT ON COLUMN compression_telemetry_batches.kind IS 'load, or what corrects it: retention, forget, relabel';
ALTER TABLE compression_telemetry_rejected
    DROP CONSTRAINT compression_telemetry_rejected_again,
    DROP COLUMN written_at,
    DROP COLUMN rejected_again_at,
    DROP COLUMN replayed_at;
