-- +goose Up
-- Decisions the table would refuse, kept with the reason. The digest makes a
-- resend of the same bad event change nothing.
CREATE TABLE compression_telemetry_rejected (
    digest      bytea       PRIMARY KEY, -- SHA-256 of the whole original but the Recorder's fields
    event_id    uuid,
    event_time  timestamptz,
    received_at timestamptz NOT NULL DEFAULT now(),
    reason      text        NOT NULL,
    field       text,
    sqlstate    text,
    detail      text,
    original    bytea,                   -- OTLP protobuf LogsData; NULL for too_old and too_far_ahead
    truncated   boolean     NOT NULL DEFAULT false
);
CREATE INDEX compression_telemetry_rejected_received_at_idx ON compression_telemetry_rejected (received_at);
COMMENT ON TABLE compression_telemetry_rejected IS 'Decisions that broke a rule, with reason and original';

-- The load ledger: one row per committed batch, so that
-- received = written + duplicate + rejected can be proved and no status page
-- has to scan the table.
CREATE TABLE compression_telemetry_batches (
    id                 bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    committed_at       timestamptz NOT NULL DEFAULT clock_timestamp(), -- now() is when the batch began
    kind               text        NOT NULL DEFAULT 'load',
    received           bigint      NOT NULL,
    written            bigint      NOT NULL,
    duplicate          bigint      NOT NULL,
    conflict           bigint      NOT NULL, -- of the duplicates: other content under the same id
    rejected           bigint      NOT NULL,
    candidates         bigint      NOT NULL, -- of the written
    newest             timestamptz,          -- latest decision written
    labels             jsonb       NOT NULL, -- {"wan": {"HDE": 3, "AMST": 1}}
    rejected_by_reason jsonb       NOT NULL, -- {"out_of_range": 1}
    CHECK (received = written + duplicate + rejected),
    CHECK (conflict <= duplicate)
);
CREATE INDEX compression_telemetry_batches_committed_at_idx ON compression_telemetry_batches (committed_at);
COMMENT ON TABLE compression_telemetry_batches IS 'The load ledger: one row per committed batch';

ALTER TABLE compression_telemetry_rejected OWNER TO dwcp_owner;
ALTER TABLE compression_telemetry_batches OWNER TO dwcp_owner;
REVOKE ALL ON compression_telemetry_rejected, compression_telemetry_batches FROM PUBLIC;
GRANT INSERT, SELECT ON compression_telemetry_rejected, compression_telemetry_batches TO dwcp_writer;
GRANT SELECT, DELETE ON compression_telemetry_rejected TO dwcp_maintainer;
GRANT SELECT ON compression_telemetry_batches TO dwcp_maintainer, dwcp_ml_reader;

-- +goose Down
DROP TABLE compression_telemetry_batches;
DROP TABLE compression_telemetry_rejected;
