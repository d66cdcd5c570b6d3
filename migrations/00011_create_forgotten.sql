-- +goose Up
-- Tombstones: VMs whose decisions were erased and must not come back, out of a
-- queue or by a resend. They hold what the table held, the pseudonym under one
-- key; of a VM id that was stored raw, the SHA-256. The exporter rejects what
-- belongs to one of them, and looks here again at the end of each batch.
CREATE TABLE compression_telemetry_forgotten (
    id           bigint      GENERATED ALWAYS AS IDENTITY UNIQUE, -- the sum of them changes with every change of the set
    vm_id        varchar(64) PRIMARY KEY CHECK (vm_id ~ '^[0-9a-f]{64}$'),
    vm_key_id    varchar(16) NOT NULL CHECK (vm_key_id <> ''),
    forgotten_at timestamptz NOT NULL DEFAULT now(),
    until        timestamptz NOT NULL -- after this the retention keeps what is older out
);
COMMENT ON TABLE compression_telemetry_forgotten IS 'VMs that were erased: decisions of theirs are refused until the time given';
ALTER TABLE compression_telemetry_forgotten OWNER TO dwcp_owner;
REVOKE ALL ON compression_telemetry_forgotten FROM PUBLIC;
GRANT SELECT ON compression_telemetry_forgotten TO dwcp_writer, dwcp_maintainer;

-- +goose Down
DROP TABLE compression_telemetry_forgotten;
