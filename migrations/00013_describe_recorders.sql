-- +goose Up
-- Counted is what is new, as in `written` and `rejected`: a duplicate is not.
COMMENT ON COLUMN compression_telemetry_batches.recorders IS 'per Recorder, how many of its decisions are new here (written, or rejected for the first time; negative where a replay takes back what counted twice) and the highest sequence number of them';

-- +goose Down
COMMENT ON COLUMN compression_telemetry_batches.recorders IS 'per Recorder, how many of its decisions were received and the highest sequence number of them';
