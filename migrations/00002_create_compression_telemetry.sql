-- +goose Up
-- The plan's 32 columns in its order, then what was added. decision/fields.go
-- is the list; a test holds this table to it. `x > 0` accepts NaN and Infinity
-- in PostgreSQL, hence an upper bound on every double.
CREATE TABLE compression_telemetry (
    id                         bigserial        NOT NULL,
    timestamp                  timestamptz      NOT NULL DEFAULT now(),
    vm_id                      varchar(64)      NOT NULL CHECK (vm_id <> ''),
    request_id                 varchar(128)     NOT NULL CHECK (request_id <> ''),
    session_id                 varchar(128)     CHECK (session_id <> ''),

    link_type                  varchar(20)      NOT NULL CHECK (link_type IN ('dc', 'metro', 'wan', 'edge')),
    region                     varchar(20)      NOT NULL CHECK (region <> ''),
    network_tier               integer          NOT NULL CHECK (network_tier BETWEEN 1 AND 3),
    bandwidth_available_mbps   double precision NOT NULL CHECK (bandwidth_available_mbps > 0 AND bandwidth_available_mbps <= 1e12),
    bandwidth_utilization      double precision NOT NULL CHECK (bandwidth_utilization BETWEEN 0 AND 100),
    rtt_ms                     double precision NOT NULL CHECK (rtt_ms BETWEEN 0 AND 1e12),

    payload_size               bigint           NOT NULL CHECK (payload_size BETWEEN 1 AND 9007199254740992),
    payload_type               varchar(50)      NOT NULL CHECK (payload_type <> ''),
    entropy_estimate           double precision CHECK (entropy_estimate BETWEEN 0 AND 8),
    repetition_score           double precision CHECK (repetition_score BETWEEN 0 AND 100),
    has_baseline               boolean          NOT NULL,

    hde_compression_ratio      double precision CHECK (hde_compression_ratio > 0 AND hde_compression_ratio <= 1e12),
    hde_delta_hit_rate         double precision CHECK (hde_delta_hit_rate BETWEEN 0 AND 100),
    hde_latency_ms             double precision CHECK (hde_latency_ms BETWEEN 0 AND 1e12),
    hde_cpu_usage              double precision CHECK (hde_cpu_usage BETWEEN 0 AND 100),

    amst_stream_count          integer          CHECK (amst_stream_count > 0),
    amst_transfer_rate_mbps    double precision CHECK (amst_transfer_rate_mbps BETWEEN 0 AND 1e12),
    amst_latency_ms            double precision CHECK (amst_latency_ms BETWEEN 0 AND 1e12),
    amst_cpu_usage             double precision CHECK (amst_cpu_usage BETWEEN 0 AND 100),

    oracle_algorithm           varchar(10)      NOT NULL CHECK (oracle_algorithm IN ('HDE', 'AMST')),
    oracle_utility_score       double precision NOT NULL CHECK (oracle_utility_score BETWEEN 0 AND 1e36),
    oracle_computation_time_ms double precision CHECK (oracle_computation_time_ms BETWEEN 0 AND 1e12),

    actual_algorithm           varchar(10)      CHECK (actual_algorithm IN ('HDE', 'AMST')),
    actual_latency_ms          double precision CHECK (actual_latency_ms BETWEEN 0 AND 1e12),
    actual_throughput_mbps     double precision CHECK (actual_throughput_mbps BETWEEN 0 AND 1e12),

    is_training_candidate      boolean          DEFAULT true,
    quality_score              double precision DEFAULT 1.0 CHECK (quality_score BETWEEN 0 AND 1),

    event_id                   uuid             NOT NULL CHECK (event_id <> '00000000-0000-0000-0000-000000000000'),
    environment                varchar(20)      CHECK (environment <> ''),
    emitter_version            varchar(32)      CHECK (emitter_version <> ''),

    hde_source                 varchar(10)      CHECK (hde_source IN ('measured', 'shadow')),
    amst_source                varchar(10)      CHECK (amst_source IN ('measured', 'shadow')),

    hde_prior_compression_ratio   double precision CHECK (hde_prior_compression_ratio > 0 AND hde_prior_compression_ratio <= 1e12),
    hde_prior_delta_hit_rate      double precision CHECK (hde_prior_delta_hit_rate BETWEEN 0 AND 100),
    hde_prior_latency_ms          double precision CHECK (hde_prior_latency_ms BETWEEN 0 AND 1e12),
    hde_prior_cpu_usage           double precision CHECK (hde_prior_cpu_usage BETWEEN 0 AND 100),
    amst_prior_transfer_rate_mbps double precision CHECK (amst_prior_transfer_rate_mbps BETWEEN 0 AND 1e12),
    amst_prior_latency_ms         double precision CHECK (amst_prior_latency_ms BETWEEN 0 AND 1e12),
    amst_prior_cpu_usage          double precision CHECK (amst_prior_cpu_usage BETWEEN 0 AND 100),
    prior_samples                 bigint           CHECK (prior_samples BETWEEN 0 AND 9007199254740992),

    actual_outcome             varchar(10)      CHECK (actual_outcome IN ('success', 'failure', 'fallback')),
    sampling_ratio             double precision CHECK (sampling_ratio > 0 AND sampling_ratio <= 1),
    recorder_id                uuid             CHECK (recorder_id <> '00000000-0000-0000-0000-000000000000'),
    recorder_sequence          bigint           CHECK (recorder_sequence BETWEEN 1 AND 9007199254740992),

    vm_key_id                  varchar(16)      CHECK (vm_key_id <> ''),
    oracle_other_utility       double precision CHECK (oracle_other_utility BETWEEN 0 AND 1e36),
    oracle_version             varchar(32)      CHECK (oracle_version <> ''),
    quality_flags              text[],

    ingested_at                timestamptz      NOT NULL DEFAULT now(),

    -- The guarantee against doubled rows. A key of a partitioned table must
    -- hold the partition column; read backwards it also serves "latest first".
    PRIMARY KEY (timestamp, event_id)
) PARTITION BY RANGE (timestamp);

COMMENT ON TABLE compression_telemetry IS 'One row per decision of DWCP between HDE and AMST; docs/event.md says what each column means';

-- The plan's idx_timestamp is the primary key read backwards, and its
-- idx_oracle (two values) and idx_training (nearly every row) would cost each
-- COPY without ever being chosen.
CREATE INDEX compression_telemetry_vm_id_idx ON compression_telemetry (vm_id, timestamp);
CREATE INDEX compression_telemetry_link_type_region_idx ON compression_telemetry (link_type, region);

ALTER TABLE compression_telemetry OWNER TO dwcp_owner;
REVOKE ALL ON compression_telemetry FROM PUBLIC;
GRANT INSERT, SELECT ON compression_telemetry TO dwcp_writer;
GRANT USAGE ON SEQUENCE compression_telemetry_id_seq TO dwcp_writer;

-- What the ML team reads. Of the VM it holds the pseudonym; request and session
-- ids are opaque by contract, and needed to keep a session in one split.
CREATE VIEW compression_telemetry_ml AS SELECT * FROM compression_telemetry;
ALTER VIEW compression_telemetry_ml OWNER TO dwcp_owner;
GRANT SELECT ON compression_telemetry_ml TO dwcp_ml_reader;

-- +goose Down
DROP VIEW compression_telemetry_ml;
DROP TABLE compression_telemetry;
