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

GRANT UPDATE (rejected_again_at, reason, field, sqlstate, detail) ON compression_telemetry_rejected TO dwcp_writer;
GRANT UPDATE (replayed_at, rejected_again_at, written_at) ON compression_telemetry_rejected TO dwcp_maintainer;
-- To see whether an event is in the table by now.
GRANT SELECT (timestamp, event_id) ON compression_telemetry TO dwcp_maintainer;

-- +goose Down
REVOKE SELECT (timestamp, event_id) ON compression_telemetry FROM dwcp_maintainer;
REVOKE UPDATE (rejected_again_at, reason, field, sqlstate, detail) ON compression_telemetry_rejected FROM dwcp_writer;
REVOKE UPDATE (replayed_at, rejected_again_at, written_at) ON compression_telemetry_rejected FROM dwcp_maintainer;
ALTER TABLE compression_telemetry_rejected
    DROP CONSTRAINT compression_telemetry_rejected_again,
    DROP COLUMN written_at,
    DROP COLUMN rejected_again_at,
    DROP COLUMN replayed_at;
